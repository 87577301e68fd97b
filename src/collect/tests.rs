//! The collectors together, under refusals of every kind.

mod denials;
