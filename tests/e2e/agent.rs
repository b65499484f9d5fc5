//! An agent that works for a long time: tools, parallel calls, thinking, and its own history cut down from time to time.
//! `BYOK_AGENT_TURNS` says how many turns it makes in each pair of dialects.

use crate::support::{
    ask::{Ask, Called, Piece, Said, Think, Tool, Turn},
    dialect,
    tools::rich,
    world::{Pair, World, equal},
};
use byok_types::Dialect;
use futures_util::future::join_all;
use serde_json::{Value, json};

/// Turns in CI. A day of work are 1,000.
const TURNS: usize = 40;
/// Turn at which the memory is looked at for the first time.
const WARM: usize = 10;
/// Rounds of tools for one question.
const ROUNDS: usize = 3;
/// Questions after which the agent puts a summary in the place of its history.
const QUESTIONS: usize = 4;
/// Memory that byok may gain after it is warm, in bytes.
const GROWTH: usize = 12 << 20;

/// Where the agent stands.
#[derive(Clone, Copy, Debug)]
enum Stage {
    /// So many rounds of results have been sent.
    Working(usize),
    /// A summary was asked for.
    Summing,
    /// A compaction was asked for.
    Compacting,
}

/// One agent in one pair of dialects.
struct Agent {
    pair: Pair,
    ask: Ask,
    stage: Stage,
    question: usize,
    /// Results of all rounds of the question at hand.
    results: Vec<String>,
    calls: usize,
}

fn tools() -> Vec<Tool> {
    let names = ["Bash", "Edit", "Glob", "Grep", "LS", "Read", "Task", "TodoWrite", "WebFetch", "Write"];
    names.map(rich).into()
}

impl Agent {
    fn new(pair: Pair) -> Self {
        let mut agent = Self {
            pair,
            ask: Ask::default(),
            stage: Stage::Working(0),
            question: 0,
            results: Vec::new(),
            calls: 0,
        };
        agent.begin(None);
        agent
    }

    /// A conversation from its start, or from a summary of what was before.
    fn begin(&mut self, summary: Option<&str>) {
        let mut pieces = self.question();
        pieces.extend(summary.map(|text| Piece::Text(format!("What has happened so far: {text}"))));
        self.ask = Ask::new("").model(&self.pair.model()).with(|ask| {
            ask.system = vec!["You are an agent. ".repeat(200), "The work lies in /src.".to_owned()];
            ask.tools = tools();
            ask.think = Some(Think::Effort("medium"));
            ask.turns = vec![Turn::User(pieces)];
        });
    }

    /// What the model is to call for the question at hand, in every round.
    fn wanted(&self) -> Vec<(&'static str, Value)> {
        let file = format!("src/ä \"{}\".rs", self.question);
        vec![("Read", json!({"path": file, "limit": 2000})), ("Grep", json!({"path": "fn main\\(\\)"}))]
    }

    fn question(&self) -> Vec<Piece> {
        let calls: Vec<String> =
            self.wanted().iter().map(|(name, arguments)| format!("sim:tool {name} {arguments}")).collect();
        let wish =
            format!("sim:thinking Where is it? sim:loop {ROUNDS} sim:text Looking. {}", calls.join(" "));
        vec![Piece::Text(wish), Piece::Text(format!("{} question {}", self.pair.mark(), self.question))]
    }

    /// One call of the model.
    async fn step(&mut self, world: &World, turn: usize) -> Result<(), String> {
        self.pair.stream = turn.is_multiple_of(2);
        self.ask.stream = self.pair.stream;
        let answer = self.pair.send(world, &self.ask).await;
        let said = dialect::read(self.pair.client, self.pair.stream, &answer)?;
        equal("attempts", &answer.header("x-byok-attempts"), &"1")?;
        equal("an error", &said.error.is_some(), &false)?;
        match self.stage {
            Stage::Working(rounds) if rounds < ROUNDS => self.work(&said, rounds),
            Stage::Working(_) => self.conclude(&said, &self.pair.upstream_body(world)?.to_string()),
            Stage::Summing => {
                equal("calls", &said.calls.len(), &0)?;
                self.stage = Stage::Working(0);
                self.begin(Some(&said.text));
                Ok(())
            }
            Stage::Compacting => {
                let kinds: Vec<_> = said.kept.iter().map(|item| item["type"].as_str()).collect();
                equal("items", &kinds, &vec![Some("compaction")])?;
                self.stage = Stage::Working(0);
                self.begin(None);
                self.ask.turns.insert(0, Turn::Said(said.kept.clone()));
                Ok(())
            }
        }
    }

    /// The model has called its tools: they are run.
    fn work(&mut self, said: &Said, rounds: usize) -> Result<(), String> {
        let calls: Vec<(&str, Value)> = said
            .calls
            .iter()
            .map(|Called { name, arguments, .. }| (name.as_str(), arguments.clone()))
            .collect();
        equal("calls", &calls, &self.wanted())?;
        let thinks = self.pair.upstream != Dialect::Chat;
        equal("thinking", &(said.thinking.contains("Where is it?") || !thinks), &true)?;
        let results: Vec<String> =
            (0..calls.len()).map(|at| format!("result {}.{rounds}.{at};", self.question)).collect();
        let texts: Vec<String> =
            results.iter().map(|text| format!("{text}\n{}", "0123456789 ".repeat(40))).collect();
        self.ask = self.ask.answered(said, &texts.iter().map(String::as_str).collect::<Vec<_>>());
        self.results.extend(results);
        self.calls += calls.len();
        self.stage = Stage::Working(rounds + 1);
        Ok(())
    }

    /// The model has all results: each of them must have reached it, once.
    fn conclude(&mut self, said: &Said, upstream: &str) -> Result<(), String> {
        equal("calls", &said.calls.len(), &0)?;
        let last = self.results.len() - self.wanted().len();
        for (at, result) in self.results.drain(..).enumerate() {
            equal(&result, &upstream.matches(&result).count(), &1)?;
            let repeated = at < last || said.text.contains(&result);
            equal(&result, &repeated, &true).map_err(|error| format!("{error}: {}", said.text))?;
        }
        self.question += 1;
        // A client of Responses has its history compacted every other time.
        if self.pair.client == Dialect::Responses && self.question % (2 * QUESTIONS) == QUESTIONS {
            self.ask.turns.push(Turn::Said(said.kept.clone()));
            self.ask.turns.push(Turn::Said(vec![json!({"type": "compaction_trigger"})]));
            self.stage = Stage::Compacting;
            return Ok(());
        }
        if self.question.is_multiple_of(QUESTIONS) {
            self.ask = self.ask.followed(said, "Sum up what has happened.");
            self.stage = Stage::Summing;
            return Ok(());
        }
        self.ask.turns.push(Turn::Said(said.kept.clone()));
        self.ask.turns.push(Turn::User(self.question()));
        self.stage = Stage::Working(0);
        Ok(())
    }
}

#[tokio::test]
async fn an_agent_works_for_a_long_time_in_every_pair() {
    let turns = std::env::var("BYOK_AGENT_TURNS").map_or(TURNS, |text| text.parse().unwrap());
    // Reasoning that is kept for clients of Chat may fill the place that it is given; here that is soon full.
    let world = World::with(json!({"limits": {"replay_memory": "256KiB"}})).await;
    let mut agents: Vec<Agent> = Pair::streams().into_iter().map(Agent::new).collect();
    let (begun, mut warm) = (std::time::Instant::now(), 0);
    for turn in 1..=turns {
        let steps = agents.iter_mut().map(async |agent| {
            let step = agent.step(&world, turn).await;
            step.err().map(|error| format!("{}, turn {turn}, {:?}: {error}", agent.pair, agent.stage))
        });
        let failures: Vec<String> = join_all(steps).await.into_iter().flatten().collect();
        assert!(failures.is_empty(), "{} agents are stuck:\n\n{}", failures.len(), failures.join("\n\n"));
        // Nobody looks back further, and looking takes time.
        world.simulator.clear_requests();
        if turn == WARM {
            warm = world.byok.memory();
        }
        if turn.is_multiple_of(100) {
            eprintln!("turn {turn}: {:?}, {} KiB", begun.elapsed(), world.byok.memory() >> 10);
        }
    }
    let (end, calls) = (world.byok.memory(), agents.iter().map(|agent| agent.calls).sum::<usize>());
    eprintln!(
        "{turns} turns in {} pairs, {calls} calls: {:?}, {} KiB after {WARM} turns, {} KiB at the end, {} KiB at most",
        agents.len(),
        begun.elapsed(),
        warm >> 10,
        end >> 10,
        world.byok.peak_memory() >> 10
    );
    assert!(warm > 0 && end < warm + GROWTH, "{} KiB have become {} KiB", warm >> 10, end >> 10);
}
