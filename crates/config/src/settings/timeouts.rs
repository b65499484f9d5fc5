use crate::value::duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Times that hold for all providers and can be changed for each, and times that are byok's own.
macro_rules! timeouts {
    (
        each provider { $($(#[$doc:meta])* $name:ident = $default:literal,)* }
        of byok { $($(#[$own_doc:meta])* $own:ident = $own_default:literal $with:literal,)* }
    ) => {
        /// How long byok waits, for what. Times are written `10s`, `2m`, or as a number of seconds.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct Timeouts {
            $(
                $(#[$doc])*
                #[serde(with = "duration")]
                #[schemars(schema_with = "duration::schema")]
                pub $name: Duration,
            )*
            $(
                $(#[$own_doc])*
                #[serde(with = $with)]
                #[schemars(schema_with = "duration::schema")]
                pub $own: Duration,
            )*
        }

        /// Times of one provider that differ from the general ones.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct TimeoutOverrides {
            $(
                $(#[$doc])*
                #[serde(with = "duration::option")]
                #[schemars(schema_with = "duration::schema")]
                pub $name: Option<Duration>,
            )*
        }

        impl Default for Timeouts {
            fn default() -> Self {
                Self {
                    $($name: Duration::from_secs($default),)*
                    $($own: Duration::from_secs($own_default),)*
                }
            }
        }

        impl Timeouts {
            /// These times, changed by those of a provider.
            #[must_use]
            pub fn with(&self, overrides: &TimeoutOverrides) -> Self {
                Self { $($name: overrides.$name.unwrap_or(self.$name),)* ..self.clone() }
            }
        }
    };
}

timeouts! {
    each provider {
        /// Until the header fields of a stream arrive.
        stream_headers = 120,
        /// Until the header fields of an answer that is not a stream arrive.
        answer_headers = 600,
        /// The same for a model that reasons: it answers in one piece when it is done.
        reasoning_headers = 1800,
        /// Until the first event of a stream that carries something.
        first_event = 120,
        /// The same for a model that reasons.
        reasoning_first_event = 600,
        /// Between two pieces of a running answer.
        idle = 300,
        /// For the answer of a login server.
        token = 30,
    }
    of byok {
        /// Until a connection to an upstream stands.
        connect = 10 "duration",
        /// How long an answer is held back for its first event. Until then another account can still take over.
        hold = 15 "duration",
        /// Between two signs of life to a client that waits.
        keep_alive = 15 "duration",
        /// Until the header fields of a request have arrived.
        header_read = 15 "duration",
        /// Until the body of a request has arrived.
        body_read = 120 "duration",
        /// For a client that does not take what it asked for.
        stalled_client = 120 "duration",
        /// For running answers when byok is stopped. May be 0.
        shutdown_grace = 30 "duration::or_zero",
    }
}
