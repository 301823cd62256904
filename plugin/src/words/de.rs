//! German.

use super::Phrase;

pub(super) fn say(phrase: Phrase) -> &'static str {
    match phrase {
        Phrase::BlockTitle => "Microsoft-Teams-Besprechung",
        Phrase::BlockJoin => "Am Computer oder in der mobilen App teilnehmen:",
        Phrase::Location => "Microsoft-Teams-Besprechung",
        Phrase::ConferenceLabel => "Microsoft Teams",
        Phrase::PrivateSubject => "Privater Termin",
        Phrase::GuestsRequired => "Gäste (erforderlich):",
        Phrase::GuestsOptional => "Gäste (optional):",
        Phrase::GuestsInformational => "Gäste (zur Information):",
        Phrase::GuestsWithoutAddress => "Gäste (ohne brauchbare Adresse):",
        Phrase::GuestNotListed => "Ein weiterer Gast ist hier nicht aufgeführt.",
        Phrase::GuestsNotListed => "{} weitere Gäste sind hier nicht aufgeführt.",
        Phrase::FilesHeading => "Anhänge:",
        Phrase::FileNotListed => "Ein weiterer Anhang ist hier nicht aufgeführt.",
        Phrase::FilesNotListed => "{} weitere Anhänge sind hier nicht aufgeführt.",
        Phrase::CutHere => "[Gekürzt: Teams zeigt {} KB vom Text dieses Termins. Im Kalender steht er ganz.]",
        Phrase::NotICalendar => {
            "Das ist keine lesbare iCalendar-Datei. Bitte den Termin erneut exportieren und noch einmal versuchen."
        }
        Phrase::UidMissing => {
            "Der Termin hat keine UID, spätere Änderungen ließen sich ihm nicht zuordnen. Bitte im Kalender erneut speichern."
        }
        Phrase::SeveralUids => "Die Datei enthält mehrere Termine. Bitte jeden Termin einzeln speichern.",
        Phrase::TooLarge => {
            "Der Termin ist zu groß für Teams (über 512 KB ohne Anhänge oder über 10.000 Zeilen). Bitte den Text kürzen; bis \
             dahin behält Teams den letzten Stand."
        }
        Phrase::RuleUnreadable => {
            "Wie sich der Termin wiederholt, lässt sich nicht ohne Raten lesen; er kommt daher nicht nach Teams. Bitte die \
             Wiederholung im Kalender neu einstellen und speichern."
        }
        Phrase::RuleNotExpressible => {
            "Der Termin wiederholt sich auf eine Weise, die Microsofts Kalender nicht genau zeigen kann; er kommt daher nicht \
             nach Teams. In Ihrem Kalender steht er wie gespeichert; soll er in Teams erscheinen, bitte eine einfachere \
             Wiederholung wählen."
        }
        Phrase::TooManyPieces => {
            "Der Termin wiederholt sich auf eine Weise, für die Microsofts Kalender mehr als 30 Einträge bräuchte; er kommt \
             daher nicht nach Teams. In Ihrem Kalender steht er wie gespeichert; soll er in Teams erscheinen, bitte eine \
             einfachere Wiederholung wählen."
        }
        Phrase::SeriesZoneUnknown => {
            "Der Serientermin steht in einer Zeitzone, die Microsoft nicht kennt; nach einer Zeitumstellung könnten seine \
             Zeiten falsch sein, daher kommt er nicht nach Teams. Bitte eine andere Zeitzone wählen und speichern."
        }
        Phrase::HasALink => {
            "Der Termin enthält bereits einen anderswo erstellten Teams-Link. Bitte zuerst diesen Link entfernen und Teams \
             dann erneut hinzufügen."
        }
        Phrase::NoStart => {
            "Der Termin hat keinen Beginn und kann nicht in den Teams-Kalender. Bitte einen Beginn angeben."
        }
        Phrase::BadDate => "Beginn oder Ende des Termins ist kein gültiges Datum. Bitte neu setzen und speichern.",
        Phrase::EndBeforeStart => {
            "Der Termin endet, bevor er beginnt. Bitte die Zeiten berichtigen und erneut speichern."
        }
        Phrase::SignInNeeded => {
            "Die Verbindung zu Microsoft ist beendet. Bitte erneut bei Microsoft anmelden; der Termin folgt dann von selbst."
        }
        Phrase::PermissionMissing => {
            "Microsoft erlaubt den Zugriff auf Ihren Kalender nicht. Bitte erneut anmelden und dem Kalenderzugriff zustimmen; \
             hilft das nicht, muss die Microsoft-Administration Ihrer Organisation ihn freigeben."
        }
        Phrase::AdminNeeded => {
            "Die Registrierung des Servers bei Microsoft funktioniert nicht. Die Server-Administration muss sie in Ordnung \
             bringen: {}"
        }
        Phrase::AccessRefused => {
            "Microsoft verweigert den Zugriff auf diesen Kalender ({}). Die Microsoft-Administration Ihrer Organisation muss \
             ihn freigeben."
        }
        Phrase::NoMailbox | Phrase::MailboxNone => {
            "Dieses Microsoft-Konto hat kein Exchange-Online-Postfach, Termine können daher nicht in Teams erscheinen. Bitte \
             die Microsoft-Administration darum bitten oder ein anderes Konto verbinden."
        }
        Phrase::MailboxNotReady => {
            "Microsoft richtet Ihr Postfach noch ein. Der Termin folgt von selbst; das kann eine Viertelstunde dauern."
        }
        Phrase::RefusedByMicrosoft => "Microsoft nimmt diesen Termin nicht an ({}). Bitte ändern und erneut speichern.",
        Phrase::TooLargeForMicrosoft => {
            "Der Termin ist für Microsoft zu groß. Bitte den Text kürzen und erneut speichern."
        }
        Phrase::Conflict => {
            "Der Termin wurde bei Microsoft im selben Augenblick geändert. Es wird von selbst erneut versucht."
        }
        Phrase::Throttled => "Microsoft bittet um eine Pause. Der Termin folgt von selbst.",
        Phrase::MicrosoftUnavailable => "Bei Microsoft gibt es eine Störung ({}). Der Termin folgt von selbst.",
        Phrase::Unanswered => {
            "Microsoft hat nicht geantwortet. Vor einem neuen Versuch wird geprüft, ob die Anfrage ankam."
        }
        Phrase::NotSent => "Microsoft war nicht erreichbar. Der Termin folgt von selbst.",
        Phrase::Waiting => "Anfragen an Microsoft werden einen Augenblick zurückgehalten. Der Termin folgt von selbst.",
        Phrase::RefusedByHost => "Der Server lässt diese Anfrage an Microsoft nicht hinaus: {}",
        Phrase::BudgetSpent => {
            "Dieser Termin brauchte mehr Anfragen, als ein Versuch erlaubt. Es geht von selbst weiter."
        }
        Phrase::UnexpectedAnswer => {
            "Microsoft hat auf unverständliche Weise geantwortet ({}). Es wird von selbst erneut versucht."
        }
        Phrase::RecordUnreadable => {
            "Was über diesen Termin gespeichert war, ist nicht lesbar. Die Server-Administration sollte die installierte \
             Version prüfen."
        }
        Phrase::NotSaved => {
            "Der Server konnte seine Notizen zu diesem Termin nicht sichern, daher wurde nichts gesendet: {}"
        }
        Phrase::Settling => {
            "Noch ist ungewiss, ob die letzte Anfrage Microsoft erreicht hat. Es wird gleich erneut geprüft."
        }
        Phrase::SubjectCut => "Teams zeigt die ersten 255 Zeichen des Titels; der Rest bleibt in Ihrem Kalender.",
        Phrase::BodyCut => {
            "Teams zeigt {} KB von Text, Anhängen und Gästen des Termins; der Rest bleibt in Ihrem Kalender."
        }
        Phrase::TooManyGuests => {
            "Microsoft nimmt höchstens 500 Gäste an, daher wurden ihm keine übergeben, und es lädt niemanden ein. \
             Bitte auf anderem Weg einladen oder die Liste kürzen."
        }
        Phrase::GuestNotInvited => {
            "Ein Gast hat keine Mailadresse und wird daher von Microsoft nicht eingeladen. Bitte die Adresse ergänzen oder \
             selbst Bescheid geben."
        }
        Phrase::GuestsNotInvited => {
            "{} Gäste haben keine Mailadresse und werden daher von Microsoft nicht eingeladen. Bitte die Adressen ergänzen \
             oder selbst Bescheid geben."
        }
        Phrase::AttachmentNotMirrored => {
            "Ein Anhang wurde nicht übertragen; er bleibt in Ihrem Kalender. Teams zeigt höchstens Links auf Dateien im Web."
        }
        Phrase::AttachmentsNotMirrored => {
            "{} Anhänge wurden nicht übertragen; sie bleiben in Ihrem Kalender. Teams zeigt höchstens Links auf Dateien im \
             Web."
        }
        Phrase::NoTeams => {
            "Der Termin steht in Ihrem Microsoft-Kalender, aber ohne Teams-Besprechung: Ihr Microsoft-Konto kann keine \
             erstellen. Dazu braucht es die Teams-Lizenz einer Organisation."
        }
        Phrase::LinkChanged => {
            "Microsoft hat der Besprechung einen neuen Link gegeben. Ihr Termin enthält ihn jetzt; bitte an die Gäste senden."
        }
        Phrase::MeetingLost => {
            "Microsoft hat die Teams-Besprechung dieses Termins entfernt. Der Termin selbst ist noch da; für einen neuen Link \
             bitte Teams erneut hinzufügen."
        }
        Phrase::DeletedAtMicrosoft => {
            "Der Termin wurde im Microsoft-Kalender gelöscht und bleibt deshalb dort fort. Um ihn zurückzuholen, bitte Teams \
             erneut hinzufügen."
        }
        Phrase::BodyNotUpdated => {
            "Die Beschreibung in Teams blieb, wie sie war, weil eine Änderung den Link der Besprechung hätte zerstören können."
        }
        Phrase::NotTheOrganizer => "Nur wer einen Termin organisiert, kann ihm eine Teams-Besprechung hinzufügen.",
        Phrase::Excluded => {
            "Dieser Termin bleibt aus Teams heraus, weil seine Vertraulichkeit, eine seiner Kategorien oder eine Markierung \
             darin ausgeschlossen ist. Bitte das im Termin oder in Ihren Teams-Einstellungen ändern oder die Administration \
             Ihres Servers fragen und Teams dann erneut hinzufügen."
        }
        Phrase::MailboxReady => "Verbunden: Termine und Teams-Besprechungen.",
        Phrase::MailboxNoTeams => {
            "Verbunden, ohne Teams-Besprechungen: Dieses Konto hat keine Teams-Lizenz. Termine erscheinen trotzdem in seinem \
             Kalender. Eine Lizenz vergibt Ihre Microsoft-Administration."
        }
        Phrase::MailboxPersonal => {
            "Verbunden, ohne Teams-Besprechungen: Dies ist ein persönliches Microsoft-Konto, für das Microsoft keine erstellt. \
             Termine erscheinen trotzdem in seinem Kalender. Für Besprechungen bitte ein Geschäfts-, Schul- oder Unikonto \
             verbinden."
        }
        Phrase::MailboxOtherProvider => {
            "Verbunden, ohne Teams-Besprechungen: Dieser Kalender erstellt Besprechungen nur in Skype for Business. Termine \
             erscheinen trotzdem darin. Die Microsoft-Administration kann das Konto auf Teams umstellen."
        }
        Phrase::MailboxNotReadyYet => {
            "Microsoft richtet dieses Postfach noch ein. Das kann eine Viertelstunde dauern; es wird von selbst erneut geprüft."
        }
    }
}
