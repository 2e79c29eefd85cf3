//! Records coming in: the trait every engine fulfils, and the choice of engine.
