//! Each built-in provider from its login to its answers.

mod kiro;
