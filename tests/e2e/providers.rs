//! Each provider from the login to the answer.

mod google;
mod login;
