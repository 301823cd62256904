//! RRULE (RFC 5545 §3.3.10), read to the letter: a part nobody here knows would change the series if it were passed over.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Weekday};

use super::Refusal;

/// How often an interval begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Freq {
    Secondly,
    Minutely,
    Hourly,
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// When a rule ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Never,
    /// After so many occurrences, DTSTART among them.
    Count(u32),
    /// With this day, which is still part of it.
    UntilDay(NaiveDate),
    /// At this time of the series' own zone, inclusive.
    UntilLocal(NaiveDateTime),
    /// At this instant, inclusive.
    UntilUtc(NaiveDateTime),
}

/// A rule as it is written, nothing yet taken from DTSTART.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) freq: Freq,
    /// At least 1.
    pub(crate) interval: u32,
    pub(crate) end: End,
    /// The first day of a week; Monday where nothing is said.
    pub(crate) wkst: Weekday,
    /// BYMONTH, 1 to 12.
    pub(crate) months: Vec<u32>,
    /// BYMONTHDAY, 1 to 31 or −31 to −1.
    pub(crate) month_days: Vec<i32>,
    /// BYYEARDAY, 1 to 366 or −366 to −1.
    pub(crate) year_days: Vec<i32>,
    /// BYDAY, with the ordinal where there is one.
    pub(crate) weekdays: Vec<(Option<i32>, Weekday)>,
    pub(crate) hours: Vec<u32>,
    pub(crate) minutes: Vec<u32>,
    pub(crate) seconds: Vec<u32>,
    /// BYSETPOS, never 0.
    pub(crate) positions: Vec<i32>,
}

impl Rule {
    /// Reads the value of an RRULE.
    ///
    /// # Errors
    /// [`Refusal::Unreadable`] where it breaks the grammar, [`Refusal::NotExpressible`] where it is right and has a part that
    /// no calendar of Microsoft's knows.
    pub(crate) fn read(value: &str) -> Result<Self, Refusal> {
        let mut freq = None;
        let mut rule = Self {
            freq: Freq::Daily,
            interval: 1,
            end: End::Never,
            wkst: Weekday::Mon,
            months: Vec::new(),
            month_days: Vec::new(),
            year_days: Vec::new(),
            weekdays: Vec::new(),
            hours: Vec::new(),
            minutes: Vec::new(),
            seconds: Vec::new(),
            positions: Vec::new(),
        };
        let mut seen: Vec<(String, String)> = Vec::new();
        for part in value.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').ok_or(Refusal::Unreadable)?;
            let (name, value) = (name.trim().to_ascii_uppercase(), value.trim().to_ascii_uppercase());
            match seen.iter().find(|(other, _)| *other == name) {
                // Said twice, and the same.
                Some((_, same)) if *same == value => continue,
                Some(_) => return Err(Refusal::Unreadable),
                None => seen.push((name.clone(), value.clone())),
            }
            match name.as_str() {
                "FREQ" => freq = Some(frequency(&value)?),
                "INTERVAL" => rule.interval = number(&value).filter(|&n| n > 0).ok_or(Refusal::Unreadable)?,
                "COUNT" | "UNTIL" if rule.end != End::Never => return Err(Refusal::Unreadable),
                "COUNT" => rule.end = End::Count(number(&value).filter(|&n| n > 0).ok_or(Refusal::Unreadable)?),
                "UNTIL" => rule.end = until(&value).ok_or(Refusal::Unreadable)?,
                "WKST" => rule.wkst = weekday(&value).ok_or(Refusal::Unreadable)?,
                // RFC 7529 writes leap months as `5L`; the Gregorian calendar has none.
                "BYMONTH" => rule.months = unsigned(&value, 1, 12)?,
                "BYMONTHDAY" => rule.month_days = signed(&value, 31)?,
                "BYYEARDAY" => rule.year_days = signed(&value, 366)?,
                "BYDAY" => rule.weekdays = weekdays(&value)?,
                "BYHOUR" => rule.hours = unsigned(&value, 0, 23)?,
                "BYMINUTE" => rule.minutes = unsigned(&value, 0, 59)?,
                // A leap second has no place in Microsoft's calendar, nor in chrono's.
                "BYSECOND" => rule.seconds = unsigned(&value, 0, 59)?,
                "BYSETPOS" => rule.positions = signed(&value, 366)?,
                "RSCALE" if value == "GREGORIAN" => {}
                "SKIP" if value == "OMIT" => {}
                "BYWEEKNO" | "RSCALE" | "SKIP" => return Err(Refusal::NotExpressible),
                _ => return Err(Refusal::Unreadable),
            }
        }
        rule.freq = freq.ok_or(Refusal::Unreadable)?;
        rule.check()?;
        Ok(rule)
    }

    /// What the grammar allows and the text of §3.3.10 forbids, or leaves so open that two programs read it differently.
    fn check(&self) -> Result<(), Refusal> {
        let numbered = self.weekdays.iter().any(|(ordinal, _)| ordinal.is_some());
        if numbered && self.freq < Freq::Monthly || !self.month_days.is_empty() && self.freq == Freq::Weekly {
            return Err(Refusal::Unreadable);
        }
        if !self.year_days.is_empty() && matches!(self.freq, Freq::Daily | Freq::Weekly | Freq::Monthly) {
            return Err(Refusal::Unreadable);
        }
        if numbered && self.weekdays.iter().any(|(ordinal, _)| ordinal.is_none()) {
            // `MO,2TU`: both by the RFC, only what is both by widespread libraries.
            return Err(Refusal::Unreadable);
        }
        let by_anything = !(self.months.is_empty()
            && self.month_days.is_empty()
            && self.year_days.is_empty()
            && self.weekdays.is_empty()
            && self.hours.is_empty()
            && self.minutes.is_empty()
            && self.seconds.is_empty());
        if !self.positions.is_empty() {
            if !by_anything {
                return Err(Refusal::Unreadable);
            }
            // What "one interval" is in the week or day DTSTART lies in, programs do not agree on.
            let times = [&self.hours, &self.minutes, &self.seconds].iter().any(|list| list.len() > 1);
            if self.freq < Freq::Monthly || times {
                return Err(Refusal::NotExpressible);
            }
        }
        Ok(())
    }

    /// The times of day at which it takes place, where it takes place on days; what it does not say is DTSTART's.
    pub(crate) fn times(&self, start: NaiveTime) -> Vec<NaiveTime> {
        use chrono::Timelike;
        let or = |list: &[u32], own: u32| if list.is_empty() { vec![own] } else { list.to_vec() };
        let mut times = Vec::new();
        for hour in or(&self.hours, start.hour()) {
            for minute in or(&self.minutes, start.minute()) {
                for second in or(&self.seconds, start.second()) {
                    times.extend(NaiveTime::from_hms_opt(hour, minute, second));
                }
            }
        }
        times.sort_unstable();
        times.dedup();
        times
    }
}

fn frequency(value: &str) -> Result<Freq, Refusal> {
    Ok(match value {
        "SECONDLY" => Freq::Secondly,
        "MINUTELY" => Freq::Minutely,
        "HOURLY" => Freq::Hourly,
        "DAILY" => Freq::Daily,
        "WEEKLY" => Freq::Weekly,
        "MONTHLY" => Freq::Monthly,
        "YEARLY" => Freq::Yearly,
        _ => return Err(Refusal::Unreadable),
    })
}

/// Microsoft's numbers are Int32.
fn number(text: &str) -> Option<u32> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    digits.parse::<i32>().ok().and_then(|number| u32::try_from(number).ok())
}

fn unsigned(text: &str, least: u32, most: u32) -> Result<Vec<u32>, Refusal> {
    let mut list: Vec<u32> = text
        .split(',')
        .map(|text| number(text.trim()).filter(|number| (least..=most).contains(number)))
        .collect::<Option<_>>()
        .ok_or(Refusal::Unreadable)?;
    list.sort_unstable();
    list.dedup();
    Ok(list)
}

fn signed(text: &str, most: i32) -> Result<Vec<i32>, Refusal> {
    let mut list: Vec<i32> = text
        .split(',')
        .map(|text| text.trim().parse::<i32>().ok().filter(|number| *number != 0 && number.abs() <= most))
        .collect::<Option<_>>()
        .ok_or(Refusal::Unreadable)?;
    list.sort_unstable();
    list.dedup();
    Ok(list)
}

fn weekdays(text: &str) -> Result<Vec<(Option<i32>, Weekday)>, Refusal> {
    let mut list: Vec<(Option<i32>, Weekday)> = Vec::new();
    for part in text.split(',').map(str::trim) {
        let at = part.len().checked_sub(2).filter(|&at| part.is_char_boundary(at)).ok_or(Refusal::Unreadable)?;
        let (ordinal, name) = part.split_at(at);
        let day = weekday(name).ok_or(Refusal::Unreadable)?;
        let ordinal = match ordinal {
            "" => None,
            text => {
                let number = text.parse::<i32>().ok().filter(|number| *number != 0 && number.abs() <= 53);
                Some(number.ok_or(Refusal::Unreadable)?)
            }
        };
        if !list.contains(&(ordinal, day)) {
            list.push((ordinal, day));
        }
    }
    Ok(list)
}

fn weekday(name: &str) -> Option<Weekday> {
    Some(match name {
        "MO" => Weekday::Mon,
        "TU" => Weekday::Tue,
        "WE" => Weekday::Wed,
        "TH" => Weekday::Thu,
        "FR" => Weekday::Fri,
        "SA" => Weekday::Sat,
        "SU" => Weekday::Sun,
        _ => return None,
    })
}

fn until(text: &str) -> Option<End> {
    if let Some(text) = text.strip_suffix('Z') {
        return NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S").ok().map(End::UntilUtc);
    }
    match text.len() {
        8 => NaiveDate::parse_from_str(text, "%Y%m%d").ok().map(End::UntilDay),
        _ => NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S").ok().map(End::UntilLocal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_breaks_the_grammar_is_not_guessed_at() {
        for value in [
            "",
            "COUNT=3",
            "FREQ=SOMETIMES",
            "FREQ=DAILY;INTERVAL=0",
            "FREQ=DAILY;COUNT=0",
            "FREQ=DAILY;COUNT=99999999999",
            "FREQ=DAILY;COUNT=2;UNTIL=20270101",
            "FREQ=DAILY;UNTIL=soon",
            "FREQ=DAILY;X-OWN=1",
            "FREQ=DAILY;BYEASTER=0",
            "FREQ=DAILY;FREQ=WEEKLY",
            "FREQ=DAILY;UNTIL=20270101;UNTIL=20280101",
            "FREQ=WEEKLY;BYDAY=1MO",
            "FREQ=WEEKLY;BYDAY=XX",
            "FREQ=WEEKLY;BYDAY=Ä",
            "FREQ=WEEKLY;BYMONTHDAY=3",
            "FREQ=MONTHLY;BYDAY=MO,2TU",
            "FREQ=MONTHLY;BYMONTHDAY=32",
            "FREQ=MONTHLY;BYMONTHDAY=0",
            "FREQ=MONTHLY;BYSETPOS=1",
            "FREQ=YEARLY;BYMONTH=13",
        ] {
            assert_eq!(Rule::read(value), Err(Refusal::Unreadable), "{value}");
        }
        for value in
            ["FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "RSCALE=CHINESE;FREQ=YEARLY", "FREQ=DAILY;BYDAY=MO;BYSETPOS=1"]
        {
            assert_eq!(Rule::read(value), Err(Refusal::NotExpressible), "{value}");
        }
    }

    #[test]
    fn case_spaces_and_a_trailing_semicolon_do_not_matter() {
        let rule = Rule::read(" freq=weekly;byday=mo, we ;interval=2;FREQ=WEEKLY; ").unwrap();
        assert_eq!((rule.freq, rule.interval), (Freq::Weekly, 2));
        assert_eq!(rule.weekdays, [(None, Weekday::Mon), (None, Weekday::Wed)]);
    }
}
