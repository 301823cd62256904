//! A person at a browser without JavaScript, who signs in.

use std::collections::HashMap;

use url::Url;

/// A page a browser ended at.
#[derive(Debug, Clone)]
pub struct Page {
    /// Where it is.
    pub url: String,
    /// Its status.
    pub status: u16,
    /// Its HTML.
    pub html: String,
}

impl Page {
    /// Its text without tags, in one line.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut inside = false;
        for c in self.html.chars() {
            match c {
                '<' => inside = true,
                '>' => {
                    inside = false;
                    text.push(' ');
                }
                c if !inside => text.push(c),
                _ => {}
            }
        }
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// A browser: cookies per origin, forms, redirects.
#[derive(Debug, Default)]
pub struct Browser {
    cookies: HashMap<String, Vec<(String, String)>>,
    /// Every address it went to, in order.
    pub visited: Vec<String>,
    stop_at: Option<String>,
}

/// Longer than any page takes.
const LONGEST_STEP: std::time::Duration = std::time::Duration::from_secs(90);

/// More steps than any sign-in takes.
const MOST_STEPS: usize = 20;

impl Browser {
    /// Opens a link and does what Microsoft's pages ask for: signs in as `address`, accepts what is requested. Ends at the
    /// first page that asks nothing.
    ///
    /// # Errors
    /// Where no page comes, or it goes round in circles.
    pub fn sign_in(&mut self, link: &str, address: &str) -> Result<Page, String> {
        self.walk(link, address, "accept")
    }

    /// The same, but refuses what is requested.
    ///
    /// # Errors
    /// As [`Browser::sign_in`].
    pub fn refuse_consent(&mut self, link: &str, address: &str) -> Result<Page, String> {
        self.walk(link, address, "cancel")
    }

    /// Does what Microsoft's pages ask for and stops where they send the browser back, without going there; the address is
    /// the last of [`Browser::visited`].
    ///
    /// # Errors
    /// As [`Browser::sign_in`].
    pub fn sign_in_until_callback(&mut self, link: &str, address: &str) -> Result<(), String> {
        self.stop_at = Some("/api/v1/oauth/access".into());
        let walked = self.walk(link, address, "accept");
        self.stop_at = None;
        walked.map(|_| ())
    }

    fn walk(&mut self, link: &str, address: &str, consent: &str) -> Result<Page, String> {
        let mut page = self.open(link)?;
        for _ in 0..MOST_STEPS {
            let Some(context) = field(&page.html, "ctx") else { return Ok(page) };
            let form: Vec<(&str, &str)> = if page.html.contains("name=\"loginfmt\"") {
                vec![("ctx", &context), ("loginfmt", address), ("action", "next")]
            } else {
                vec![("ctx", &context), ("action", consent)]
            };
            let action = attribute(&page.html, "<form", "action").ok_or("the page has no form")?;
            let target = Url::parse(&page.url).and_then(|url| url.join(&action)).map_err(|e| e.to_string())?;
            page = self.follow(target.as_str(), Some(&form))?;
        }
        Err(format!("still asked something after {MOST_STEPS} pages: {}", page.text()))
    }

    /// Opens a link, following redirects.
    ///
    /// # Errors
    /// Where nobody answers, or there is no end of redirects.
    pub fn open(&mut self, link: &str) -> Result<Page, String> {
        self.follow(link, None)
    }

    fn follow(&mut self, link: &str, form: Option<&[(&str, &str)]>) -> Result<Page, String> {
        let mut url = Url::parse(link).map_err(|e| format!("`{link}`: {e}"))?;
        let mut form = form;
        for _ in 0..MOST_STEPS {
            let page = self.step(&url, form.take())?;
            match page.1 {
                Some(location) => url = url.join(&location).map_err(|e| format!("`{location}`: {e}"))?,
                None => return Ok(page.0),
            }
        }
        Err(format!("no end of redirects from {link}"))
    }

    fn step(&mut self, url: &Url, form: Option<&[(&str, &str)]>) -> Result<(Page, Option<String>), String> {
        self.visited.push(url.to_string());
        if self.stop_at.as_deref().is_some_and(|path| url.path() == path) {
            return Ok((Page { url: url.to_string(), status: 0, html: String::new() }, None));
        }
        let origin = url.origin().ascii_serialization();
        let cookies = self.cookies.entry(origin.clone()).or_default();
        let header = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        let agent = crate::agent(LONGEST_STEP);
        let answer = match form {
            None => agent.get(url.as_str()).header("cookie", &header).call(),
            Some(fields) => agent.post(url.as_str()).header("cookie", &header).send_form(fields.iter().copied()),
        };
        let mut answer = answer.map_err(|e| format!("{url}: {e}"))?;
        for value in answer.headers().get_all("set-cookie") {
            let pair = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                cookies.retain(|(known, _)| known != name);
                if !value.is_empty() {
                    cookies.push((name.into(), value.into()));
                }
            }
        }
        let status = answer.status().as_u16();
        let location = answer.headers().get("location").and_then(|l| l.to_str().ok()).map(str::to_owned);
        let html = answer.body_mut().read_to_string().map_err(|e| format!("{url}: {e}"))?;
        let redirect = location.filter(|_| (300..400).contains(&status));
        Ok((Page { url: url.to_string(), status, html }, redirect))
    }
}

/// The value of a hidden field.
fn field(html: &str, name: &str) -> Option<String> {
    let at = html.find(&format!("name=\"{name}\""))?;
    attribute(html.get(at..)?, "", "value")
}

/// The value of an attribute after a marker.
fn attribute(html: &str, marker: &str, name: &str) -> Option<String> {
    let after = html.get(html.find(marker)?..)?;
    let start = after.find(&format!("{name}=\""))? + name.len() + 2;
    let value = after.get(start..)?.split('"').next()?;
    Some(value.replace("&amp;", "&").replace("&#38;", "&").replace("&quot;", "\"").replace("&#34;", "\""))
}
