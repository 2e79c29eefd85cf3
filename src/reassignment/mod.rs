//! A move of replicas, as values: JSON and sets in, values out. Pure.
