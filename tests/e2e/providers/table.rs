//! The README's table of what each provider does: every row is what the provider's own test has found.

use super::picture;
use crate::support::{
    ask::{Ask, Think, Tool},
    byok::Byok,
    dialect,
};
use byok_auth::{Network, Urls, Vendor};
use byok_types::Dialect;
use serde_json::{Value, json};

/// Makes what is known of a provider's logins.
pub type Make = fn(&Urls<'_>, Network) -> Vendor;

/// What a provider does, asked by a client of Messages.
pub struct Does<'a> {
    pub provider: &'a str,
    pub make: Make,
    /// A model for everything.
    pub model: &'a str,
    /// One that thinks.
    pub thinks: &'a str,
    /// One that sees.
    pub sees: &'a str,
}

impl Does<'_> {
    /// Compares the rows of both READMEs with what this byok does.
    pub async fn what_the_readme_says(&self, byok: &Byok) {
        let found = self.found(byok).await;
        for file in ["README.md", "README.zh.md"] {
            let readme = std::fs::read_to_string(format!("{}/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
            let name = format!("| `{}` |", self.provider);
            let row = readme.lines().find(|line| line.starts_with(&name));
            assert_eq!(row, Some(found.as_str()), "the row of {file}");
        }
    }

    async fn found(&self, byok: &Byok) -> String {
        let vendor = (self.make)(&Urls::none(), Network::default());
        let methods: Vec<String> = vendor.methods.iter().map(|method| format!("`{}`", method.name)).collect();
        let cells = [
            format!("`{}`", self.provider),
            methods.join(", "),
            shown(vendor.import.is_some()),
            shown(self.streams(byok).await),
            shown(self.calls_tools(byok).await),
            shown(self.sees(byok).await),
            shown(self.thinks(byok).await),
            shown(self.tells_quota(byok).await),
        ];
        format!("| {} |", cells.join(" | "))
    }

    async fn said(&self, byok: &Byok, ask: Ask) -> crate::support::ask::Said {
        let client = Dialect::Messages;
        let answer = dialect::call(client, &ask).send(byok.address()).await;
        dialect::read(client, ask.stream, &answer)
            .unwrap_or_else(|error| panic!("{}: {error}\n{}", self.provider, answer.text()))
    }

    async fn streams(&self, byok: &Byok) -> bool {
        let said = self.said(byok, Ask::new("Streams, please.").model(self.model).stream(true)).await;
        said.text.contains("Streams, please.")
    }

    async fn calls_tools(&self, byok: &Byok) -> bool {
        let mut ask = Ask::new("sim:tool get_weather {\"city\":\"Oslo\"}").model(self.model);
        let parameters =
            json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
        ask.tools = vec![Tool { name: "get_weather", parameters }];
        let said = self.said(byok, ask.clone()).await;
        said.calls.len() == 1
            && self.said(byok, ask.answered(&said, &["heavy rain"])).await.text.contains("heavy rain")
    }

    async fn sees(&self, byok: &Byok) -> bool {
        let ask = picture(self.sees);
        let answer = dialect::call(Dialect::Messages, &ask).send(byok.address()).await;
        answer.status == 200 && answer.text().contains("image/png")
    }

    async fn thinks(&self, byok: &Byok) -> bool {
        let ask = Ask::new("sim:thinking Well. sim:text Done.").model(self.thinks).with(|ask| {
            ask.max_tokens = Some(8000);
            ask.think = Some(Think::Effort("high"));
        });
        !self.said(byok, ask).await.thinking.is_empty()
    }

    /// Whether windows of the plan are known after all this, by asking or from the headers of answers.
    async fn tells_quota(&self, byok: &Byok) -> bool {
        // A look at the state waits for what the vendor says.
        let status: Value = byok.status().await;
        let providers = status["providers"].as_array().into_iter().flatten();
        let mine = providers.filter(|known| known["id"] == self.provider || known["name"] == self.provider);
        let accounts = mine.filter_map(|provider| provider["accounts"].as_array()).flatten();
        let mut quotas = accounts.filter_map(|account| account["quota"]["windows"].as_array());
        quotas.any(|windows| !windows.is_empty())
    }
}

fn shown(is_so: bool) -> String {
    if is_so { "yes" } else { "–" }.to_owned()
}
