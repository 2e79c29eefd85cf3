//! What the keys do, and what the figures mean.

/// The help, in lines of at most sixty characters.
pub(super) const LINES: &[&str] = &[
    "Keys",
    "  1 2 3 4, Tab      brokers, topics, partitions, groups",
    "  up down j k       the row above, below; PgUp PgDn g G",
    "  Enter, Esc        open the row, go back",
    "  s S               order by the next, the last column",
    "  r                 the other way round",
    "  /                 only rows with a text in them",
    "  i                 internal topics too",
    "  + -               look less often, more often",
    "  p                 pause",
    "  q                 leave",
    "",
    "Figures",
    "  RECORDS/S  end offsets over the last ten seconds",
    "  BYTES/S    about: records, by their size on disk",
    "  LAG        end offset less committed offset",
    "  LEFT       until the lag is gone at this speed",
    "  LAGGING    replicas of the broker not in sync",
    "  -          not known",
    "",
    "Offsets are asked for at each look, topics and all groups",
    "every 10 s, disks every 30 s; 5 requests a second at most,",
    "in clusters of more than 25 brokers one a broker in 5 s.",
];
