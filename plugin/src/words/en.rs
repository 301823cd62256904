//! English.

use super::Phrase;

pub(super) fn say(phrase: Phrase) -> &'static str {
    match phrase {
        Phrase::BlockTitle => "Microsoft Teams meeting",
        Phrase::BlockJoin => "Join on your computer or mobile app:",
        Phrase::Location => "Microsoft Teams Meeting",
        Phrase::ConferenceLabel => "Microsoft Teams",
        Phrase::PrivateSubject => "Private appointment",
        Phrase::GuestsRequired => "Guests (required):",
        Phrase::GuestsOptional => "Guests (optional):",
        Phrase::GuestsInformational => "Guests (for information):",
        Phrase::GuestsWithoutAddress => "Guests (without a usable address):",
        Phrase::GuestNotListed => "One more guest is not shown here.",
        Phrase::GuestsNotListed => "{} more guests are not shown here.",
        Phrase::FilesHeading => "Attachments:",
        Phrase::FileNotListed => "One more attachment is not shown here.",
        Phrase::FilesNotListed => "{} more attachments are not shown here.",
        Phrase::CutHere => "[Shortened: Teams shows {} KB of this event's text. All of it stands in the calendar.]",
        Phrase::NotICalendar => "This is not a readable iCalendar file. Export the event again and retry.",
        Phrase::UidMissing => {
            "The event has no UID, so later changes could not be matched to it. Save it again in the calendar."
        }
        Phrase::SeveralUids => "The file holds several events. Save each event by itself.",
        Phrase::TooLarge => {
            "The event is too large for Teams (over 512 KB without attachments, or over 10,000 lines). Shorten its text; \
             until then Teams keeps the last version."
        }
        Phrase::RuleUnreadable => {
            "How the event repeats cannot be read without guessing, so it is not brought to Teams. Set its repetition again \
             in the calendar and save."
        }
        Phrase::RuleNotExpressible => {
            "The event repeats in a way that Microsoft's calendar cannot show exactly, so it is not brought to Teams. It \
             stands in your calendar as you saved it; choose a simpler repetition if it is to appear in Teams."
        }
        Phrase::TooManyPieces => {
            "The event repeats in a way that would take more than 30 entries in Microsoft's calendar, so it is not brought \
             to Teams. It stands in your calendar as you saved it; choose a simpler repetition if it is to appear in Teams."
        }
        Phrase::SeriesZoneUnknown => {
            "The event repeats in a time zone that Microsoft does not know, so its times could be wrong after the clocks \
             change, and it is not brought to Teams. Choose another time zone for it and save."
        }
        Phrase::HasALink => {
            "The event already contains a Teams link that was made elsewhere. Remove that link from the event first, then \
             add Teams again."
        }
        Phrase::NoStart => "The event has no start, so it cannot be put into the Teams calendar. Give it a start.",
        Phrase::BadDate => "The event's start or end is not a valid date. Set it again and save.",
        Phrase::EndBeforeStart => "The event ends before it starts. Correct its times and save again.",
        Phrase::SignInNeeded => {
            "The connection to Microsoft has ended. Sign in to Microsoft again; the event then follows by itself."
        }
        Phrase::PermissionMissing => {
            "Microsoft does not permit access to your calendar. Sign in again and agree to calendar access; if that does \
             not help, your organisation's Microsoft administrator must allow it."
        }
        Phrase::AdminNeeded => {
            "The server's registration with Microsoft does not work. Your server's administrator must mend it: {}"
        }
        Phrase::AccessRefused => {
            "Microsoft refuses access to this calendar ({}). Your organisation's Microsoft administrator must allow it."
        }
        Phrase::NoMailbox => {
            "Your Microsoft account has no Exchange Online mailbox, so events cannot appear in Teams. Ask your Microsoft \
             administrator for one, or connect another account."
        }
        Phrase::MailboxNotReady => {
            "Microsoft is still setting up your mailbox. The event follows by itself; this can take a quarter of an hour."
        }
        Phrase::RefusedByMicrosoft => "Microsoft does not accept this event ({}). Change it and save it again.",
        Phrase::TooLargeForMicrosoft => "The event is too large for Microsoft. Shorten its text and save it again.",
        Phrase::Conflict => "The event was being changed at Microsoft at the same moment. It is tried again by itself.",
        Phrase::Throttled => "Microsoft asks for a pause. The event follows by itself.",
        Phrase::MicrosoftUnavailable => "Microsoft has a disturbance ({}). The event follows by itself.",
        Phrase::Unanswered => {
            "Microsoft did not answer. Whether the request arrived is checked before it is tried again."
        }
        Phrase::NotSent => "Microsoft could not be reached. The event follows by itself.",
        Phrase::Waiting => "Requests to Microsoft are being held back for a moment. The event follows by itself.",
        Phrase::RefusedByHost => "The server does not let this request to Microsoft leave: {}",
        Phrase::BudgetSpent => "This event needed more requests than one attempt allows. It goes on by itself.",
        Phrase::UnexpectedAnswer => {
            "Microsoft answered in a way that is not understood ({}). It is tried again by itself."
        }
        Phrase::RecordUnreadable => {
            "What was remembered of this event cannot be read. The server's administrator should check the installed \
             version."
        }
        Phrase::NotSaved => "The server could not keep its notes on this event, so nothing was sent: {}",
        Phrase::Settling => {
            "It is not certain yet whether the last request reached Microsoft. It is checked again in a moment."
        }
        Phrase::SubjectCut => "Teams shows the first 255 characters of the title; the rest stays in your calendar.",
        Phrase::BodyCut => {
            "Teams shows {} KB of the event's text, attachments and guests; the rest stays in your calendar."
        }
        Phrase::TooManyGuests => {
            "Microsoft accepts at most 500 guests, so none were given to it and it invites nobody. Invite them in another \
             way, or shorten the list."
        }
        Phrase::GuestNotInvited => {
            "One guest has no mail address, so Microsoft does not invite them. Add the address, or tell them yourself."
        }
        Phrase::GuestsNotInvited => {
            "{} guests have no mail address, so Microsoft does not invite them. Add their addresses, or tell them yourself."
        }
        Phrase::AttachmentNotMirrored => {
            "One attachment was not mirrored; it stays in your calendar. Teams shows at most links to files on the web."
        }
        Phrase::AttachmentsNotMirrored => {
            "{} attachments were not mirrored; they stay in your calendar. Teams shows at most links to files on the web."
        }
        Phrase::NoTeams => {
            "The event is in your Microsoft calendar, but without a Teams meeting: your Microsoft account cannot make one. \
             It needs a Teams licence of an organisation."
        }
        Phrase::LinkChanged => {
            "Microsoft gave the meeting a new link. Your event carries it now; send it to your guests."
        }
        Phrase::MeetingLost => {
            "Microsoft removed the Teams meeting from this event. The event itself is still there; add Teams again to get \
             a new link."
        }
        Phrase::DeletedAtMicrosoft => {
            "The event was deleted in the Microsoft calendar, so it stays away from there. Add Teams again to bring it back."
        }
        Phrase::BodyNotUpdated => {
            "The description in Teams was left as it was, because changing it could have broken the meeting's link."
        }
        Phrase::NotTheOrganizer => "Only the organiser of an event can add a Teams meeting to it.",
        Phrase::Excluded => {
            "This event stays out of Teams, because its privacy class, one of its categories or a mark in it is excluded. \
             Change that in the event or in your Teams settings, or ask your server's administrator, and add Teams again."
        }
        Phrase::MailboxReady => "Connected: events and Teams meetings.",
        Phrase::MailboxNoTeams => {
            "Connected, without Teams meetings: this account has no Teams licence. Events still appear in its calendar. Ask \
             your Microsoft administrator for a licence."
        }
        Phrase::MailboxPersonal => {
            "Connected, without Teams meetings: this is a personal Microsoft account, for which Microsoft makes none. Events \
             still appear in its calendar. For meetings connect a work or school account."
        }
        Phrase::MailboxOtherProvider => {
            "Connected, without Teams meetings: this calendar makes meetings only in Skype for Business. Events still appear \
             in it. Your Microsoft administrator can switch the account to Teams."
        }
        Phrase::MailboxNone => {
            "This Microsoft account has no Exchange Online mailbox, so events cannot appear in Teams. Ask your Microsoft \
             administrator for one, or connect another account."
        }
        Phrase::MailboxNotReadyYet => {
            "Microsoft is still setting up this mailbox. That can take a quarter of an hour; it is checked again by itself."
        }
    }
}
