//! Objects of a streamed answer: read thousands of times, so they borrow from the frame and are read where they will stay.
//! What serde returns by value is moved several times on its way, and these structs are large.

use super::{Str, unescaped};
use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeSeed},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt};

/// Declares a struct that reads such an object. A missing key is the default value, a key that is not named is passed over,
/// and of a key that stands twice the last counts. Types read `null` themselves.
macro_rules! borrowed {
    ($(#[$meta:meta])* $vis:vis struct $name:ident<$life:lifetime> {
        $( $(#[$note:meta])* $key:literal $(| $alias:literal)* => $field:ident : $ty:ty ),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Debug, Default)]
        $vis struct $name<$life> {
            $( $(#[$note])* $vis $field: $ty, )*
        }

        impl<'de: $life, $life> $crate::wire::Fill<'de> for $name<$life> {
            fn fill<D: serde::Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
                struct Visitor<'p, $life>(&'p mut $name<$life>);
                impl<'de: $life, $life> serde::de::Visitor<'de> for Visitor<'_, $life> {
                    type Value = ();

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
                        while let Some(key) = map.next_key::<$crate::wire::Key<'de>>()? {
                            match key.as_str() {
                                $( $key $(| $alias)* => {
                                    map.next_value_seed($crate::wire::Place(&mut self.0.$field))?;
                                } )*
                                _ => drop(map.next_value::<serde::de::IgnoredAny>()?),
                            }
                        }
                        Ok(())
                    }
                }
                deserializer.deserialize_map(Visitor(self))
            }
        }

        impl<'de: $life, $life> $crate::wire::Fill<'de> for Option<$name<$life>> {
            fn fill<D: serde::Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
                deserializer.deserialize_option($crate::wire::Optional(self))
            }
        }

        impl<'de: $life, $life> serde::Deserialize<'de> for $name<$life> {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let mut value = Self::default();
                $crate::wire::Fill::fill(&mut value, deserializer)?;
                Ok(value)
            }
        }
    };
}
pub(crate) use borrowed;

/// A value that is read where it stands.
pub(crate) trait Fill<'de> {
    fn fill<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error>;
}

/// Reads all of `json` into a place.
pub(crate) fn fill<'a, T: Fill<'a>>(place: &mut T, json: &'a str) -> Result<(), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    place.fill(&mut deserializer)?;
    deserializer.end()
}

/// The place of a value within another.
pub(crate) struct Place<'p, T>(pub(crate) &'p mut T);

impl<'de, T: Fill<'de>> DeserializeSeed<'de> for Place<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.fill(deserializer)
    }
}

/// The place of a value that may be `null`.
pub(crate) struct Optional<'p, T>(pub(crate) &'p mut Option<T>);

impl<'de, T: Fill<'de> + Default> de::Visitor<'de> for Optional<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or null")
    }

    fn visit_none<E>(self) -> Result<(), E> {
        *self.0 = None;
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.insert(T::default()).fill(deserializer)
    }
}

/// Values that are small, or rare, are moved.
macro_rules! moved {
    ($( $ty:ty $(where $parameter:ident)? ),* $(,)?) => { $(
        impl<'de: 'a, 'a $(, $parameter: serde::Deserialize<'de>)?> $crate::wire::Fill<'de> for $ty {
            fn fill<D: serde::Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
                *self = serde::Deserialize::deserialize(deserializer)?;
                Ok(())
            }
        }
    )* };
}
pub(crate) use moved;

moved! {
    Option<&'a RawValue>,
    Option<Str<'a>>,
    Option<Text<'a>>,
    Option<bool>,
    Option<serde_json::Number>,
    Option<Box<T>> where T,
    Option<Vec<T>> where T,
}

/// A list that has one entry almost always: it takes the memory of one. A `Vec` would begin with room for four.
#[derive(Debug)]
pub(crate) struct Few<T>(pub(crate) Vec<T>);

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Fill<'de> + Default> Fill<'de> for Few<T> {
    fn fill<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        struct Visitor<'p, T>(&'p mut Vec<T>);

        impl<'de, T: Fill<'de> + Default> de::Visitor<'de> for Visitor<'_, T> {
            type Value = ();

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
                self.0.reserve_exact(1);
                let mut entry = T::default();
                while entries.next_element_seed(Place(&mut entry))?.is_some() {
                    self.0.push(std::mem::take(&mut entry));
                }
                Ok(())
            }
        }

        deserializer.deserialize_seq(Visitor(&mut self.0))
    }
}

impl<'de, T: Fill<'de> + Default> Fill<'de> for Option<Few<T>> {
    fn fill<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(Optional(self))
    }
}

impl<'de, T: Fill<'de> + Default> Deserialize<'de> for Few<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut list = Self::default();
        list.fill(deserializer)?;
        Ok(list)
    }
}

/// A string that probably has escapes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&'de RawValue>::deserialize(deserializer)?.get();
        match unescaped(json) {
            Some(text) => Ok(Self(text)),
            None => serde_json::from_str::<Str<'_>>(json).map(|text| Self(text.0)).map_err(de::Error::custom),
        }
    }
}
