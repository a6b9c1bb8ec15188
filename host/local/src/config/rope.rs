//! How positions turn queries and keys.

use super::keys::Keys;

/// The kinds of rotary embedding that this decoder knows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Rope {
    /// Frequencies from `theta` alone.
    Default {
        /// The base.
        theta: f64,
    },
    /// All frequencies divided by `factor`.
    Linear {
        /// The base.
        theta: f64,
        /// The divisor.
        factor: f64,
    },
    /// Llama 3.1: low frequencies divided, high ones kept, the rest in between.
    Llama3 {
        /// The base.
        theta: f64,
        /// The divisor of low frequencies.
        factor: f64,
        /// Wave lengths above `original / low` are low frequencies.
        low: f64,
        /// Wave lengths below `original / high` are high frequencies.
        high: f64,
        /// The context before it was stretched.
        original: f64,
    },
}

impl Rope {
    /// Reads either form: `rope_parameters`, or `rope_theta` with `rope_scaling`.
    pub(super) fn parse(keys: &Keys, context: u32) -> Result<Rope, String> {
        let theta = keys.number("rope_theta")?;
        let (place, inner) = match keys.object("rope_parameters")? {
            Some(inner) => ("rope_parameters", Some(inner)),
            None => ("rope_scaling", keys.object("rope_scaling")?),
        };
        for holder in [Some(keys), inner.as_ref()].into_iter().flatten() {
            if holder.number("partial_rotary_factor")?.is_some_and(|share| share != 1.0) {
                return Err("has `partial_rotary_factor`, which this decoder does not know".into());
            }
        }
        let default = theta.unwrap_or(10_000.0);
        let Some(inner) = inner else { return Rope::Default { theta: default }.checked() };
        if let Some(kind) = inner.0.iter().find(|(_, value)| value.is_object()) {
            return Err(format!(
                "has `{place}` per kind of layer (`{}`), which this decoder does not know",
                kind.0
            ));
        }
        let theta = inner.number("rope_theta")?.unwrap_or(default);
        let kind = match inner.text("rope_type")? {
            Some(kind) => Some(kind),
            None => inner.text("type")?,
        };
        let need = |key: &str| -> Result<f64, String> {
            inner.number(key)?.ok_or_else(|| format!("lacks `{key}` in `{place}`"))
        };
        match kind.unwrap_or("default") {
            "default" => Rope::Default { theta },
            "linear" => Rope::Linear { theta, factor: need("factor")? },
            "llama3" => Rope::Llama3 {
                theta,
                factor: need("factor")?,
                low: need("low_freq_factor")?,
                high: need("high_freq_factor")?,
                original: inner
                    .number("original_max_position_embeddings")?
                    .unwrap_or(f64::from(context)),
            },
            kind => {
                return Err(format!(
                    "has the unknown rope type `{kind}` in `{place}` (known: default, linear, llama3)"
                ));
            }
        }
        .checked()
    }

    /// Rotations per position, one for each pair of a head's `head_dim` numbers.
    ///
    /// The powers are taken in f64 and rounded once; everything after that is done in
    /// f32 as the reference does it, so that long contexts agree too.
    pub(crate) fn frequencies(&self, head_dim: usize) -> Vec<f32> {
        let theta = match *self {
            Rope::Default { theta } | Rope::Linear { theta, .. } | Rope::Llama3 { theta, .. } => {
                theta
            }
        };
        let plain = (0..head_dim / 2).map(|pair| {
            let power = (2 * pair) as f32 / head_dim as f32;
            1.0 / (theta.powf(f64::from(power)) as f32)
        });
        match *self {
            Rope::Default { .. } => plain.collect(),
            Rope::Linear { factor, .. } => plain.map(|f| f / factor as f32).collect(),
            Rope::Llama3 { factor, low, high, original, .. } => plain
                .map(|f| stretched(f, factor as f32, low as f32, high as f32, original as f32))
                .collect(),
        }
    }

    fn checked(self) -> Result<Rope, String> {
        let good = match self {
            Rope::Default { theta } => theta > 0.0,
            Rope::Linear { theta, factor } => theta > 0.0 && factor >= 1.0,
            Rope::Llama3 { theta, factor, low, high, original } => {
                theta > 0.0 && factor >= 1.0 && low > 0.0 && high > low && original >= 1.0
            }
        };
        if good { Ok(self) } else { Err(format!("has rope values that make no sense: {self:?}")) }
    }
}

fn stretched(frequency: f32, factor: f32, low: f32, high: f32, original: f32) -> f32 {
    let wave = 2.0 * std::f32::consts::PI / frequency;
    if wave > original / low {
        frequency / factor
    } else if wave < original / high {
        frequency
    } else {
        let smooth = (original / wave - low) / (high - low);
        (1.0 - smooth) * frequency / factor + smooth * frequency
    }
}
