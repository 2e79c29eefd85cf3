//! The last values of a figure as bars in a row.

/// The characters of bars, the lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bars(&'static [char]);

impl Bars {
    /// Eighths of a block.
    pub(super) const BLOCKS: Self = Self(&['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']);
    /// For a terminal that is not in UTF-8.
    pub(super) const ASCII: Self = Self(&['_', '.', ':', '-', '=', '+', '*', '#']);

    /// The last `width` values, right-aligned; the largest of all values has the highest bar, zero the lowest.
    pub(super) fn draw(self, values: &[f64], width: usize) -> String {
        let shown = values.iter().skip(values.len().saturating_sub(width));
        let largest = values.iter().copied().fold(0.0, f64::max);
        let highest = self.0.len().saturating_sub(1);
        let bar = |value: &f64| {
            let height = if largest > 0.0 {
                (value / largest * highest as f64).ceil()
            } else {
                0.0
            };
            self.0.get(height as usize).copied().unwrap_or(' ')
        };
        let bars: String = shown.map(bar).collect();
        format!("{bars:>width$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_highest_bar_is_the_largest_value() {
        assert_eq!(Bars::BLOCKS.draw(&[0.0, 350.0, 700.0, 0.0, 1.0], 6), " ▁▅█▁▂");
        assert_eq!(Bars::ASCII.draw(&[5.0, 0.0, 700.0], 2), "_#");
        assert_eq!(Bars::BLOCKS.draw(&[0.0, 0.0], 3), " ▁▁");
        assert_eq!(Bars::BLOCKS.draw(&[], 3), "   ");
    }

    proptest! {
        #[test]
        fn bars_are_as_wide_as_they_shall_be(
            values in prop::collection::vec(0.0_f64..1e15, 0..80),
            width in 0_usize..70,
        ) {
            prop_assert_eq!(Bars::BLOCKS.draw(&values, width).chars().count(), width);
        }
    }
}
