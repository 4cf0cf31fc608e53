//! The documents as they are written: their lines, links, headings and code.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

pub const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A document of the project.
pub struct Document {
    pub path: PathBuf,
    pub text: String,
}

/// What a line belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Prose,
    /// A code block, and the language that is said of it.
    Code(String),
}

/// The guide's pages, and the documents beside the source.
pub fn documents() -> Vec<Document> {
    let root = Path::new(ROOT);
    let mut paths: Vec<PathBuf> =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "packaging/README.md"]
            .iter()
            .map(|name| root.join(name))
            .filter(|path| path.is_file())
            .collect();
    paths.extend(pages());
    paths.into_iter().map(Document::read).collect()
}

/// The files of the guide's pages, without the table of contents.
pub fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = fs::read_dir(Path::new(ROOT).join("docs"))
        .expect("docs")
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .filter(|path| !path.ends_with("SUMMARY.md"))
        .collect();
    pages.sort();
    pages
}

impl Document {
    pub fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { path, text }
    }

    /// `FILE:LINE`, for messages.
    pub fn at(&self, line: usize) -> String {
        let name = self.path.strip_prefix(ROOT).unwrap_or(&self.path);
        format!("{}:{line}", name.display())
    }

    /// The lines with their numbers, and what they belong to. Fences themselves are left out.
    pub fn lines(&self) -> Vec<(usize, Part, &str)> {
        let mut lines = Vec::new();
        let mut fence: Option<String> = None;
        let (mut after_blank, mut indented) = (true, false);
        for (index, line) in self.text.lines().enumerate() {
            if let Some(language) = line.trim_start().strip_prefix("```") {
                fence = match fence {
                    Some(_) => None,
                    None => Some(language.trim().to_owned()),
                };
                continue;
            }
            let blank = line.trim().is_empty();
            indented = line.starts_with("    ") && (after_blank || indented) || indented && blank;
            let part = match &fence {
                Some(language) => Part::Code(language.clone()),
                None if indented => Part::Code(String::new()),
                None => Part::Prose,
            };
            after_blank = blank;
            lines.push((index + 1, part, line));
        }
        assert!(fence.is_none(), "{}: a code block does not end", self.path.display());
        lines
    }

    /// The prose with the lines of a paragraph joined, and the number of its first line. Rows of tables stay apart.
    fn paragraphs(&self) -> Vec<(usize, String)> {
        let mut paragraphs: Vec<(usize, String)> = Vec::new();
        let mut goes_on = false;
        for (number, part, line) in self.lines() {
            let is_text = part == Part::Prose && !line.trim().is_empty();
            let stands_alone = line.starts_with(['|', '#']);
            match paragraphs.last_mut() {
                Some((_, text)) if goes_on && is_text && !stands_alone => {
                    text.push(' ');
                    text.push_str(line.trim());
                }
                _ if is_text => paragraphs.push((number, line.to_owned())),
                _ => {}
            }
            goes_on = is_text && !stands_alone;
        }
        paragraphs
    }

    /// The targets of links and pictures, with the lines of their paragraphs.
    pub fn links(&self) -> Vec<(usize, String)> {
        let mut links = Vec::new();
        for (number, text) in self.paragraphs() {
            let words = outside_code(&text);
            for (at, _) in words.match_indices("](") {
                let target = &words[at + 2..];
                let end =
                    target.find(')').unwrap_or_else(|| panic!("{}: a link has no end", self.at(number)));
                links.push((number, target[..end].trim().to_owned()));
            }
        }
        links
    }

    /// The anchors of the headings.
    pub fn anchors(&self) -> HashSet<String> {
        let mut anchors = HashSet::new();
        for (_, part, line) in self.lines() {
            let title = line.trim_start_matches('#');
            if part == Part::Prose && title.len() < line.len() && title.starts_with(' ') {
                let slug = slug(title);
                let free = (0..).map(|n| if n == 0 { slug.clone() } else { format!("{slug}-{n}") });
                anchors.extend(free.into_iter().find(|slug| !anchors.contains(slug)));
            }
        }
        anchors
    }

    /// Code blocks of a language, with the line after the fence.
    pub fn blocks(&self, language: &str) -> Vec<(usize, String)> {
        let mut blocks: Vec<(usize, String)> = Vec::new();
        let mut last = 0;
        for (number, part, line) in self.lines() {
            if part == Part::Code(language.to_owned()) {
                if last + 1 == number && !blocks.is_empty() {
                    let block = blocks.last_mut().expect("a block");
                    block.1 += line;
                    block.1.push('\n');
                } else {
                    blocks.push((number, format!("{line}\n")));
                }
                last = number;
            }
        }
        blocks
    }

    /// What stands between backticks in the prose, with the line of its paragraph.
    pub fn code_spans(&self) -> Vec<(usize, String)> {
        let mut spans = Vec::new();
        for (number, text) in self.paragraphs() {
            assert!(text.matches('`').count() % 2 == 0, "{}: a ` has no partner", self.at(number));
            spans.extend(text.split('`').skip(1).step_by(2).map(|code| (number, code.to_owned())));
        }
        spans
    }
}

/// A paragraph without what stands between backticks.
fn outside_code(text: &str) -> String {
    let part = |(index, text): (usize, &str)| if index % 2 == 1 { String::new() } else { text.to_owned() };
    text.split('`').enumerate().map(part).collect()
}

/// The anchor that a heading gets, here and on the usual hosts of source code.
pub fn slug(title: &str) -> String {
    let title = title.trim().to_lowercase();
    let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn links_and_anchors_lead_somewhere() {
    let mut wrong = Vec::new();
    for document in documents() {
        for (line, target) in document.links() {
            if let Some((scheme, _)) = target.split_once("://") {
                let host = url::Url::parse(&target).ok().and_then(|url| url.host_str().map(str::to_owned));
                if scheme != "https" || !host.is_some_and(|host| host.contains('.')) {
                    wrong.push(format!("{}: {target} is no https address", document.at(line)));
                }
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target.as_str(), ""));
            let path = match file {
                "" => document.path.clone(),
                file => document.path.parent().expect("a folder").join(file),
            };
            if !path.exists() {
                wrong.push(format!("{}: there is no {target}", document.at(line)));
            } else if !anchor.is_empty() && !Document::read(path).anchors().contains(anchor) {
                wrong.push(format!("{}: there is no heading for {target}", document.at(line)));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_page_is_listed_and_every_picture_shown() {
    let summary = Document::read(Path::new(ROOT).join("docs/SUMMARY.md"));
    let listed: HashSet<String> = summary.links().into_iter().map(|(_, target)| target).collect();
    for page in pages() {
        let name = page.file_name().expect("a name").to_string_lossy().into_owned();
        assert!(listed.contains(&name), "docs/{name} is not in docs/SUMMARY.md");
    }
    let shown: HashSet<String> = documents()
        .iter()
        .flat_map(Document::links)
        .filter_map(|(_, target)| target.rsplit('/').next().map(str::to_owned))
        .collect();
    for picture in fs::read_dir(Path::new(ROOT).join("docs/images")).expect("docs/images") {
        let picture = picture.expect("a file");
        let name = picture.file_name().to_string_lossy().into_owned();
        assert!(shown.contains(&name), "no page shows docs/images/{name}");
        let bytes = picture.metadata().expect("its size").len();
        assert!(bytes < 200_000, "docs/images/{name} has {bytes} bytes: make it smaller");
    }
}

#[test]
fn the_scanner_sees_what_it_should() {
    let text = "# A `b` c!\n\nSee\n[x](y.md#z) and `[no]\n(link)`.\n\n    farpane :1\n\n```toml\na = 1\nb = 2\n```\n## a b c\n";
    let document = Document { path: PathBuf::from("test.md"), text: text.to_owned() };
    assert_eq!(document.links(), [(3, "y.md#z".to_owned())]);
    assert_eq!(document.anchors(), HashSet::from(["a-b-c".to_owned(), "a-b-c-1".to_owned()]));
    assert_eq!(document.blocks("toml"), [(10, "a = 1\nb = 2\n".to_owned())]);
    assert_eq!(document.code_spans(), [(1, "b".to_owned()), (3, "[no] (link)".to_owned())]);
    assert!(document.lines().contains(&(7, Part::Code(String::new()), "    farpane :1")));
}
