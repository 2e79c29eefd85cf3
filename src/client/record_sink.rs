//! Records going out: the trait every engine fulfils, and the choice of engine.
