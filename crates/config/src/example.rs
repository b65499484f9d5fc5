/// A configuration file to begin with: every line is a comment, so it changes nothing until one is made a setting.
pub fn example() -> &'static str {
    include_str!("example.yaml")
}

#[cfg(test)]
mod tests;
