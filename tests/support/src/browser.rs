//! A person at a browser without JavaScript: follows links, sends forms, signs in.

use std::collections::HashMap;

use url::Url;

use crate::html;

/// A page a browser ended at.
#[derive(Debug, Clone)]
pub struct Page {
    /// Where it is.
    pub url: String,
    /// Its status.
    pub status: u16,
    /// Name (lower case) and value of each header field.
    pub headers: Vec<(String, String)>,
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
        html::unescaped(&text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// A header field.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// An attribute of the element with this id.
    pub fn attribute(&self, id: &str, name: &str) -> Option<String> {
        html::element(&self.html, id)?.get(name).map(str::to_owned)
    }

    /// Whether there is an element with this id.
    pub fn has(&self, id: &str) -> bool {
        html::element(&self.html, id).is_some()
    }

    /// An attribute of the first element that has another attribute of this value.
    pub fn attribute_where(&self, known: &str, value: &str, name: &str) -> Option<String> {
        html::tags(&self.html).iter().find(|tag| tag.get(known) == Some(value))?.get(name).map(str::to_owned)
    }

    /// Every address the page leads to or loads, with the tag's name.
    pub fn addresses(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for tag in html::tags(&self.html) {
            for name in ["href", "src", "action"] {
                found.extend(tag.get(name).map(|address| (tag.name.clone(), address.to_owned())));
            }
        }
        found
    }

    /// What the form around the element with this id would send as it stands, and where to.
    pub fn form(&self, id: &str) -> Option<(String, Vec<(String, String)>)> {
        html::form_around(&self.html, id).map(|form| (form.action, form.fields))
    }

    /// The same by a field or button of that name and value.
    pub fn form_with(&self, name: &str, value: &str) -> Option<(String, Vec<(String, String)>)> {
        html::form_with(&self.html, name, value).map(|form| (form.action, form.fields))
    }

    fn absolute(&self, link: &str) -> Result<String, String> {
        Url::parse(&self.url).and_then(|url| url.join(link)).map(String::from).map_err(|e| format!("`{link}`: {e}"))
    }
}

/// A browser: cookies per origin, forms, redirects.
#[derive(Debug, Clone, Default)]
pub struct Browser {
    cookies: HashMap<String, Vec<(String, String)>>,
    /// Every address it went to, in order.
    pub visited: Vec<String>,
    /// Header fields it sends with every request, for example its user's languages.
    pub sends: Vec<(String, String)>,
    /// It keeps no cookies.
    pub keeps_nothing: bool,
    /// Cookies that it holds for every site beside its own and sends before them: where a frame's site is the window's, those
    /// of the window come along, and the older stand first.
    pub older: Vec<(String, String)>,
    stop_at: Option<String>,
}

/// More steps than any sign-in takes.
const MOST_STEPS: usize = 20;

impl Browser {
    /// Opens a link (to the settings, or to a sign-in), presses what connects, does what Microsoft's pages ask for: signs in as
    /// `address`, accepts what is requested; and confirms. Ends at the first page that asks nothing.
    ///
    /// # Errors
    /// Where no page comes, or it goes round in circles.
    pub fn sign_in(&mut self, link: &str, address: &str) -> Result<Page, String> {
        let page = self.sign_in_until_question(link, address)?;
        if page.has("confirm-yes") { self.press(&page, "confirm-yes") } else { Ok(page) }
    }

    /// The same up to the question whether to connect.
    ///
    /// # Errors
    /// As [`Browser::sign_in`].
    pub fn sign_in_until_question(&mut self, link: &str, address: &str) -> Result<Page, String> {
        let page = self.open_sign_in(link)?;
        self.walk(page, address, "accept")
    }

    /// The same, but refuses what is requested.
    ///
    /// # Errors
    /// As [`Browser::sign_in`].
    pub fn refuse_consent(&mut self, link: &str, address: &str) -> Result<Page, String> {
        let page = self.open_sign_in(link)?;
        self.walk(page, address, "cancel")
    }

    /// Does what Microsoft's pages ask for and stops where they send the browser back, without going there; the address is
    /// the last of [`Browser::visited`].
    ///
    /// # Errors
    /// As [`Browser::sign_in`].
    pub fn sign_in_until_callback(&mut self, link: &str, address: &str) -> Result<(), String> {
        self.stop_at = Some("/api/v1/oauth/access".into());
        let walked = self.sign_in_until_question(link, address);
        self.stop_at = None;
        walked.map(|_| ())
    }

    /// From a link to Microsoft's first page, over the settings where the link leads there.
    fn open_sign_in(&mut self, link: &str) -> Result<Page, String> {
        let page = self.open(link)?;
        for button in ["connect", "reconnect"] {
            if page.has(button) {
                return self.click(&page, button);
            }
        }
        Ok(page)
    }

    /// Does what Microsoft's pages ask for, as far as they do.
    fn walk(&mut self, mut page: Page, address: &str, consent: &str) -> Result<Page, String> {
        for _ in 0..MOST_STEPS {
            let Some(context) = page.attribute_where("name", "ctx", "value") else { return Ok(page) };
            let form: Vec<(&str, &str)> = if page.html.contains("name=\"loginfmt\"") {
                vec![("ctx", &context), ("loginfmt", address), ("action", "next")]
            } else {
                vec![("ctx", &context), ("action", consent)]
            };
            let forms = html::tags(&page.html);
            let action = forms.iter().find(|tag| tag.name == "form").and_then(|tag| tag.get("action"));
            let target = page.absolute(action.ok_or("the page has no form")?)?;
            page = self.send(&target, &form)?;
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

    /// Follows the link with this id.
    ///
    /// # Errors
    /// Where there is none; otherwise as [`Browser::open`].
    pub fn click(&mut self, page: &Page, id: &str) -> Result<Page, String> {
        let link = page.attribute(id, "href").ok_or_else(|| format!("no link `{id}`: {}", page.text()))?;
        self.open(&page.absolute(&link)?)
    }

    /// Presses the button with this id: sends its form as it stands.
    ///
    /// # Errors
    /// Where there is none; otherwise as [`Browser::open`].
    pub fn press(&mut self, page: &Page, id: &str) -> Result<Page, String> {
        self.press_with(page, id, &[])
    }

    /// The same with some fields filled in otherwise.
    ///
    /// # Errors
    /// As [`Browser::press`].
    pub fn press_with(&mut self, page: &Page, id: &str, filled: &[(&str, &str)]) -> Result<Page, String> {
        let (action, mut fields) = page.form(id).ok_or_else(|| format!("no button `{id}`: {}", page.text()))?;
        let button = html::element(&page.html, id).unwrap_or_default();
        if let (Some(name), Some(value)) = (button.get("name"), button.get("value")) {
            fields.push((name.to_owned(), value.to_owned()));
        }
        for (name, value) in filled {
            fields.retain(|(known, _)| known != name);
            fields.push(((*name).to_owned(), (*value).to_owned()));
        }
        let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        self.send(&page.absolute(&action)?, &fields)
    }

    /// Sends a form, following redirects.
    ///
    /// # Errors
    /// As [`Browser::open`].
    pub fn send(&mut self, link: &str, form: &[(&str, &str)]) -> Result<Page, String> {
        self.follow(link, Some(form))
    }

    /// Name and value of all its own cookies.
    pub fn cookies(&self) -> Vec<(String, String)> {
        self.cookies.values().flatten().cloned().collect()
    }

    /// The values of all its cookies.
    pub fn cookie_values(&self) -> Vec<String> {
        self.cookies.values().flatten().map(|(_, value)| value.clone()).collect()
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
            let nothing = Page { url: url.to_string(), status: 0, headers: Vec::new(), html: String::new() };
            return Ok((nothing, None));
        }
        let origin = url.origin().ascii_serialization();
        let cookies = self.cookies.entry(origin).or_default();
        let header = self
            .older
            .iter()
            .chain(cookies.iter())
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join("; ");
        let agent = crate::agent();
        let answer = match form {
            None => {
                let request = agent.get(url.as_str()).header("cookie", &header);
                self.sends.iter().fold(request, |request, (name, value)| request.header(name, value)).call()
            }
            Some(fields) => {
                let request = agent.post(url.as_str()).header("cookie", &header);
                let sends = self.sends.iter().fold(request, |request, (name, value)| request.header(name, value));
                sends.send_form(fields.iter().copied())
            }
        };
        let mut answer = answer.map_err(|e| format!("{url}: {e}"))?;
        for value in answer.headers().get_all("set-cookie") {
            let pair = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=').filter(|_| !self.keeps_nothing) {
                cookies.retain(|(known, _)| known != name);
                if !value.is_empty() {
                    cookies.push((name.into(), value.into()));
                }
            }
        }
        let status = answer.status().as_u16();
        let location = answer.headers().get("location").and_then(|l| l.to_str().ok()).map(str::to_owned);
        let headers = answer
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned()))
            .collect();
        let html = answer.body_mut().read_to_string().map_err(|e| format!("{url}: {e}"))?;
        let redirect = location.filter(|_| (300..400).contains(&status));
        Ok((Page { url: url.to_string(), status, headers, html }, redirect))
    }
}
