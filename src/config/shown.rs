//! The configuration as it is shown: kept small, for it is as long as the file, and seldom looked at.

use std::io::{self, Read, Write};
use std::sync::Arc;

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

/// The configuration in force as text, without its secrets. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct ShownConfig(Arc<[u8]>);

impl ShownConfig {
    /// Keeps what [`Config::effective_yaml`](super::Config::effective_yaml) says.
    #[must_use]
    pub fn new(yaml: &str) -> Self {
        // There is no error where memory is written to.
        Self(deflated(yaml).unwrap_or_default().into())
    }

    /// As YAML.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let read = DeflateDecoder::new(&*self.0).read_to_string(&mut text);
        read.map(|_| text).unwrap_or_default()
    }
}

fn deflated(text: &str) -> io::Result<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes())?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    #[test]
    fn what_is_shown_is_the_whole_configuration() {
        let endpoint =
            |number| format!("  - {{name: e{number}, url: \"https://e{number}.test/\"}}\n");
        let endpoints: String = (0..1_000).map(endpoint).collect();
        let text = format!("endpoints:\n{endpoints}");
        let config = Config::parse("test", &text, Path::new(""), &|_| None).unwrap();
        let yaml = config.effective_yaml();
        let shown = ShownConfig::new(&yaml);
        assert_eq!(shown.text(), yaml);
        assert!(shown.0.len() < shown.text().len() / 4);
        assert_eq!(ShownConfig::default().text(), "");
    }
}
