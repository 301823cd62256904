//! Every sentence a person reads.
//!
//! A sentence is named by a [`Phrase`]; a language is one file with one exhaustive `match`, so that a sentence without a
//! translation does not compile. Adding a language is adding its file and its line in [`LANGUAGES`].

mod de;
mod en;

use crate::domain::{Notice, Problem};

/// What can be said. The doc of each is its stable code; `{}` in a sentence stands for a detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phrase {
    // Texts that are written into events.
    BlockTitle,
    BlockJoin,
    Location,
    ConferenceLabel,
    PrivateSubject,
    GuestsRequired,
    GuestsOptional,
    GuestsInformational,
    GuestsWithoutAddress,
    GuestNotListed,
    GuestsNotListed,
    FilesHeading,
    FileNotListed,
    FilesNotListed,
    CutHere,
    // Problems of a text.
    NotICalendar,
    UidMissing,
    SeveralUids,
    TooLarge,
    RuleUnreadable,
    RuleNotExpressible,
    TooManyPieces,
    SeriesZoneUnknown,
    HasALink,
    NoStart,
    BadDate,
    EndBeforeStart,
    // Problems with Microsoft or on the way there.
    SignInNeeded,
    PermissionMissing,
    AdminNeeded,
    AccessRefused,
    NoMailbox,
    MailboxNotReady,
    RefusedByMicrosoft,
    TooLargeForMicrosoft,
    Conflict,
    Throttled,
    MicrosoftUnavailable,
    Unanswered,
    NotSent,
    Waiting,
    RefusedByHost,
    BudgetSpent,
    UnexpectedAnswer,
    RecordUnreadable,
    NotSaved,
    Settling,
    // Notices.
    SubjectCut,
    BodyCut,
    TooManyGuests,
    GuestNotInvited,
    GuestsNotInvited,
    AttachmentNotMirrored,
    AttachmentsNotMirrored,
    NoTeams,
    LinkChanged,
    MeetingLost,
    DeletedAtMicrosoft,
    BodyNotUpdated,
    NotTheOrganizer,
    Excluded,
    // What a mailbox can do.
    MailboxReady,
    MailboxNoTeams,
    MailboxPersonal,
    MailboxOtherProvider,
    MailboxNone,
    MailboxNotReadyYet,
}

impl Phrase {
    /// The stable code that goes with a problem or a notice.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::BlockTitle => "block-title",
            Self::BlockJoin => "block-join",
            Self::Location => "location",
            Self::ConferenceLabel => "conference-label",
            Self::PrivateSubject => "private-subject",
            Self::GuestsRequired => "guests-required",
            Self::GuestsOptional => "guests-optional",
            Self::GuestsInformational => "guests-informational",
            Self::GuestsWithoutAddress => "guests-without-address",
            Self::GuestNotListed | Self::GuestsNotListed => "guests-not-listed",
            Self::FilesHeading => "files-heading",
            Self::FileNotListed | Self::FilesNotListed => "files-not-listed",
            Self::CutHere => "cut-here",
            Self::NotICalendar => "not-icalendar",
            Self::UidMissing => "uid-missing",
            Self::SeveralUids => "several-uids",
            Self::TooLarge => "too-large",
            Self::RuleUnreadable => "rule-unreadable",
            Self::RuleNotExpressible => "rule-not-expressible",
            Self::TooManyPieces => "too-many-pieces",
            Self::SeriesZoneUnknown => "series-zone-unknown",
            Self::HasALink => "has-a-link",
            Self::NoStart => "no-start",
            Self::BadDate => "bad-date",
            Self::EndBeforeStart => "end-before-start",
            Self::SignInNeeded => "sign-in-needed",
            Self::PermissionMissing => "permission-missing",
            Self::AdminNeeded => "admin-needed",
            Self::AccessRefused => "access-refused",
            Self::NoMailbox | Self::MailboxNone => "no-mailbox",
            Self::MailboxNotReady => "mailbox-not-ready",
            Self::RefusedByMicrosoft => "refused-by-microsoft",
            Self::TooLargeForMicrosoft => "too-large-for-microsoft",
            Self::Conflict => "conflict",
            Self::Throttled => "throttled",
            Self::MicrosoftUnavailable => "microsoft-unavailable",
            Self::Unanswered => "unanswered",
            Self::NotSent => "not-sent",
            Self::Waiting => "waiting",
            Self::RefusedByHost => "refused-by-host",
            Self::BudgetSpent => "budget-spent",
            Self::UnexpectedAnswer => "unexpected-answer",
            Self::RecordUnreadable => "record-unreadable",
            Self::NotSaved => "not-saved",
            Self::Settling => "settling",
            Self::SubjectCut => "subject-cut",
            Self::BodyCut => "body-cut",
            Self::TooManyGuests => "too-many-guests",
            Self::GuestNotInvited | Self::GuestsNotInvited => "guests-not-invited",
            Self::AttachmentNotMirrored | Self::AttachmentsNotMirrored => "attachments-not-mirrored",
            Self::NoTeams | Self::MailboxNoTeams => "no-teams",
            Self::LinkChanged => "link-changed",
            Self::MeetingLost => "meeting-lost",
            Self::DeletedAtMicrosoft => "deleted-at-microsoft",
            Self::BodyNotUpdated => "body-not-updated",
            Self::NotTheOrganizer => "not-the-organizer",
            Self::Excluded => "excluded",
            Self::MailboxReady => "ready",
            Self::MailboxPersonal => "personal",
            Self::MailboxOtherProvider => "other-provider",
            Self::MailboxNotReadyYet => "not-ready-yet",
        }
    }
}

/// A language's sentences.
type Say = fn(Phrase) -> &'static str;

/// Primary language subtag (BCP 47) and the language's sentences.
const LANGUAGES: &[(&str, Say)] = &[("en", en::say), ("de", de::say)];

/// The sentences of one language.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words {
    say: Say,
}

impl Words {
    /// The language of a BCP 47 tag, by its primary subtag; English where there is none of that name.
    pub(crate) fn for_language(tag: &str) -> Self {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        LANGUAGES
            .iter()
            .find(|(language, _)| primary.eq_ignore_ascii_case(language))
            .map_or(Self { say: en::say }, |&(_, say)| Self { say })
    }

    /// Every language, for finding again what an earlier save may have written in another one.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        LANGUAGES.iter().map(|&(_, say)| Self { say })
    }

    /// The sentence.
    pub(crate) fn say(self, phrase: Phrase) -> &'static str {
        (self.say)(phrase)
    }

    /// A notice.
    pub(crate) fn notice(self, phrase: Phrase) -> Notice {
        Notice { code: phrase.code().to_owned(), message: self.say(phrase).to_owned() }
    }

    /// A notice whose sentence names a number.
    pub(crate) fn notice_about(self, phrase: Phrase, number: usize) -> Notice {
        Notice { message: self.say(phrase).replace("{}", &number.to_string()), ..self.notice(phrase) }
    }

    /// A notice about one, or about several.
    pub(crate) fn notice_of_some(self, phrases: [Phrase; 2], number: usize) -> Notice {
        let [one, _] = phrases;
        Notice { message: self.some(phrases, number), ..self.notice(one) }
    }

    /// The sentence for one, or that for several with their number.
    pub(crate) fn some(self, [one, several]: [Phrase; 2], number: usize) -> String {
        if number == 1 { self.say(one).to_owned() } else { self.say(several).replace("{}", &number.to_string()) }
    }

    /// A problem.
    pub(crate) fn problem(self, phrase: Phrase) -> Problem {
        Problem { code: phrase.code().to_owned(), message: self.say(phrase).to_owned() }
    }

    /// A problem whose sentence names a detail: a code of the service or a reason of the host, never contents.
    pub(crate) fn problem_about(self, phrase: Phrase, detail: &str) -> Problem {
        Problem { code: phrase.code().to_owned(), message: self.say(phrase).replace("{}", detail) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_chosen_by_its_primary_subtag() {
        for tag in ["de-AT", "DE", "de_CH"] {
            assert_eq!(Words::for_language(tag).say(Phrase::GuestsOptional), "Gäste (optional):", "{tag}");
        }
        for tag in ["en-GB", "fr", "", "deutsch"] {
            assert_eq!(Words::for_language(tag).say(Phrase::GuestsOptional), "Guests (optional):", "{tag}");
        }
    }

    #[test]
    fn a_detail_stands_in_the_sentence_of_every_language() {
        for words in Words::all() {
            let problem = words.problem_about(Phrase::RefusedByMicrosoft, "ErrorInvalidRequest");
            assert!(problem.message.contains("ErrorInvalidRequest"), "{}", problem.message);
            assert!(!problem.message.contains("{}"));
        }
    }

    #[test]
    fn one_is_not_several() {
        for words in Words::all() {
            for phrases in [
                [Phrase::GuestNotListed, Phrase::GuestsNotListed],
                [Phrase::FileNotListed, Phrase::FilesNotListed],
                [Phrase::GuestNotInvited, Phrase::GuestsNotInvited],
                [Phrase::AttachmentNotMirrored, Phrase::AttachmentsNotMirrored],
            ] {
                let (one, two) = (words.some(phrases, 1), words.some(phrases, 2));
                assert!(!one.contains("{}") && !one.contains('2'), "{one}");
                assert!(two.contains('2') && !two.contains("{}"), "{two}");
                assert_eq!(phrases[0].code(), phrases[1].code());
            }
            assert!(words.notice_about(Phrase::BodyCut, 25).message.contains("25 KB"));
        }
    }

    #[test]
    fn what_is_written_into_events_needs_no_escaping_in_icalendar() {
        for words in Words::all() {
            for phrase in [Phrase::BlockTitle, Phrase::BlockJoin, Phrase::Location, Phrase::ConferenceLabel] {
                assert!(!words.say(phrase).contains(['\\', ';', ',', '\n', '"', '<', '&']), "{phrase:?}");
            }
        }
    }
}
