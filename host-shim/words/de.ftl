# Was Benutzern gesagt wird, auf Deutsch.

## Wie ein Konto steht

standing-not-enabled = Microsoft Teams ist für dieses Konto nicht freigeschaltet.
standing-denied = Die Administration hat Microsoft Teams für dieses Konto nicht erlaubt.
standing-unknown = Dieses Konto hat Microsoft Teams noch nicht benutzt.
standing-off = Microsoft Teams ist für dieses Konto nicht eingeschaltet.
standing-leaving = Dieses Konto wird gerade von Microsoft Teams getrennt.
standing-connector-off = Microsoft Teams ist von der Administration abgeschaltet.
standing-connector-dead = Die Registrierung des Servers bei Microsoft funktioniert zurzeit nicht. Die Administration muss sie in Ordnung bringen.
standing-not-connected = Melden Sie sich bei Microsoft an, um dieses Konto zu verbinden.
standing-connected = Verbunden mit { $microsoft }.

## Was eine Verbindung beendet hat

dead-disabled = Dieses Microsoft-Konto ist gesperrt. Fragen Sie dessen Administration, und melden Sie sich dann erneut an.
dead-consent = Die Berechtigung für den Kalender fehlt. Melden Sie sich erneut an und stimmen Sie zu, oder bitten Sie die Administration darum.
dead-seen-again = Microsoft möchte Sie noch einmal sehen (ein zweiter Faktor oder eine Regel Ihrer Organisation). Melden Sie sich erneut an.
dead-unused = Die Verbindung wurde zu lange nicht benutzt. Melden Sie sich erneut bei Microsoft an.
dead-ended = Die Verbindung zu Microsoft ist beendet. Melden Sie sich erneut bei Microsoft an.
dead-scope = Eine Berechtigung fehlt, die vorher da war. Melden Sie sich erneut an und stimmen Sie ihr zu.
dead-other-identity = Microsoft hat für ein anderes als das verbundene Konto geantwortet. Melden Sie sich erneut an.

## Was an der Registrierung nicht stimmt, für ihre Administration

admin-secret-expired = Der geheime Clientschlüssel ist abgelaufen. Erstellen Sie bei Microsoft einen neuen und tragen Sie seinen „Wert“ im Konnektor ein.
admin-secret-wrong = Der geheime Clientschlüssel ist falsch. Tragen Sie seinen „Wert“ (nicht seine „Geheimnis-ID“) im Konnektor ein.
admin-secret-missing = Microsoft verlangt einen geheimen Clientschlüssel. Tragen Sie ihn ein, und registrieren Sie die Plattform als „Web“.
admin-client-unknown = Microsoft kennt die Client-ID nicht, oder die Anwendung ist dort abgeschaltet. Prüfen Sie beides.
admin-tenant-unknown = Microsoft kennt den Mandanten in den Adressen des Konnektors nicht. Prüfen Sie den Kontotyp.
admin-redirect = Die Umleitungsadresse ist bei Microsoft nicht registriert. Registrieren Sie sie Zeichen für Zeichen.
admin-single-tenant = Die Anwendung gilt nur für einen Mandanten. Setzen Sie den Kontotyp des Konnektors auf dessen ID.
admin-refused = Microsoft lehnt die Anwendung ab. Prüfen Sie Client-ID, Clientschlüssel und Adressen des Konnektors.
admin-no-refresh-token = Microsoft hat kein Aktualisierungstoken gegeben; den Berechtigungen fehlt „offline_access“.
microsoft-said = Microsoft sagt: „{ $detail }“

## Was später besser gehen kann

later-not-asked = Der Anmeldedienst von Microsoft konnte nicht gefragt werden.
later-refused-here = Der Anmeldedienst von Microsoft kann nicht gefragt werden: { $why }.
later-no-answer = Der Anmeldedienst von Microsoft antwortet nicht.
later-busy = Der Anmeldedienst von Microsoft ist überlastet oder gestört.
later-status = Der Anmeldedienst von Microsoft ist überlastet oder gestört (Status { $status }).
later-no-sense = Der Anmeldedienst von Microsoft hat etwas geantwortet, das keine Antwort ist (Status { $status }).
later-asked = Der Anmeldedienst von Microsoft bittet, es später noch einmal zu versuchen ({ $code }).
later-unknown = Der Anmeldedienst von Microsoft hat die Anfrage abgelehnt ({ $code }).

## Die Anmeldung

sign-in-connected-title = Teams ist verbunden
sign-in-connected = Der Kalender von { $account } ist jetzt mit dem Microsoft-Konto { $microsoft } verbunden.
sign-in-problem-title = Teams ist nicht verbunden
sign-in-stale = Diese Anmeldung ist nicht mehr offen: Sie wurde schon benutzt oder hat zu lange gedauert.
sign-in-other-browser = Diese Anmeldung wurde in einem anderen Browser begonnen.
sign-in-declined = Microsoft hat die Anmeldung beendet, ohne etwas zu verbinden.
sign-in-not-confirmed = Sie haben die beiden nicht verbunden. Von der Anmeldung wurde nichts behalten.
sign-in-permission = Microsoft hat die Berechtigung „{ $permission }“ nicht gegeben, ohne die nichts übertragen werden kann.
sign-in-mismatch = Die Antwort passt nicht zu der Anmeldung, die begonnen wurde ({ $what }).
sign-in-taken = Das Microsoft-Konto { $microsoft } ist schon mit einem anderen Konto dieses Servers verbunden.
sign-in-admin = Die Registrierung des Servers bei Microsoft funktioniert nicht. Die Administration muss sie in Ordnung bringen:
sign-in-leaving = Dieser Kalender wird gerade von Microsoft getrennt: Es werden noch Termine aus Teams entfernt.
sign-in-failed = Die Anmeldung konnte nicht behalten werden.
next-close = Sie können dieses Fenster schließen.
next-settings = Zurück zu den Einstellungen
next-begin-again = Gehen Sie zurück zu Ihren Einstellungen und beginnen Sie von vorn.
next-ask-administrator = Fragen Sie Ihre Administration.
next-try-again = Gehen Sie zurück zu Ihren Einstellungen, um es noch einmal zu versuchen.
next-other-account = Melden Sie sich mit einem anderen Microsoft-Konto an, oder trennen Sie es dort zuerst.
next-disconnected = Versuchen Sie es noch einmal, wenn das erledigt ist; Ihre Einstellungen zeigen, wie weit es ist, und können es sofort beenden.
next-later = Versuchen Sie es in ein paar Minuten noch einmal.

## Die Frage nach der Anmeldung

confirm-title = Diese beiden verbinden?
confirm-question = Den Kalender von { $account } mit dem Microsoft-Konto { $microsoft } verbinden?
confirm-effect = Termine mit Teams erscheinen dann im Microsoft-Kalender von { $microsoft }, und ihre Teilnahmelinks in Ihrem Kalender. Hat Ihre Administration gewählt, alle Termine zu zeigen, erscheinen dort auch die anderen; Ihre Einstellungen sagen es.
confirm-instead = Es tritt an die Stelle von { $microsoft }.
confirm-events = { $count ->
    [one] Ein kommender Termin steht im Kalender des Microsoft-Kontos, das Sie vorher benutzt haben.
   *[other] { $count } kommende Termine stehen im Kalender des Microsoft-Kontos, das Sie vorher benutzt haben.
}
confirm-events-legend = Was soll aus ihnen werden?
confirm-keep = Dort lassen. Ihre Links gelten weiter; spätere Änderungen dieser Termine erreichen Teams nicht mehr.
confirm-move = Mit { $microsoft } neu anlegen. Gäste bekommen einen neuen Link; die alten Einträge bleiben, wo sie sind.
confirm-yes = Verbinden
confirm-no = Abbrechen
confirm-other = Ein anderes Microsoft-Konto benutzen

## Seiten, die nur etwas sagen

nothing-here-title = Hier ist nichts
nothing-here = Diese Adresse gehört zur Verbindung zwischen Ihrem Kalender und Microsoft Teams.
nothing-here-next = Gehen Sie zurück zu den Einstellungen in Ihrem Webmailer oder Kalender und beginnen Sie dort.
not-understood-title = Das war nicht zu lesen
not-understood = Was Ihr Browser gesendet hat, ist nicht, was diese Seite sendet; es wurde nichts geändert.
not-understood-next = Öffnen Sie die Einstellungen noch einmal aus Ihrem Webmailer oder Kalender.
broken-title = Hier ist etwas schiefgegangen
broken = Das konnte nicht fortgesetzt werden. Es wurde nichts geändert.
broken-next = Gehen Sie zurück zu den Einstellungen in Ihrem Webmailer oder Kalender und versuchen Sie es noch einmal; wenn es wieder geschieht, sagen Sie es Ihrer Administration.
session-over-title = Diese Seite ist nicht mehr offen
session-over = Der Link zu ihr wurde schon benutzt oder ist zu alt, oder die Seite war länger als eine Stunde offen.
session-over-next = Öffnen Sie die Einstellungen noch einmal aus Ihrem Webmailer oder Kalender.
no-cookie-title = Öffnen Sie die Einstellungen in einem eigenen Fenster
no-cookie = Ihr Browser behält für diese Seite innerhalb einer anderen keine Cookies.
no-cookie-open = In neuem Fenster öffnen
no-cookie-next = Wenn dort wieder diese Seite kommt, erlauben Sie Cookies für diese Website.
form-foreign-title = Das kam nicht von dieser Seite
form-foreign = Das Formular gehört nicht zu den Einstellungen, die in diesem Browser offen sind; deshalb wurde nichts geändert.
form-foreign-next = Öffnen Sie die Einstellungen noch einmal aus Ihrem Webmailer oder Kalender.

## Die Einstellungsseite

settings-title = Microsoft Teams
settings-for = Einstellungen von { $account }
settings-intro = Termine, die Sie mit Teams speichern, erscheinen in Ihrem Microsoft-Teams-Kalender, und der Teilnahmelink kommt in den Termin zurück. Hat Ihre Administration gewählt, alle Termine zu zeigen, erscheinen dort auch die anderen.
toggle-label = Teams für meinen Kalender
toggle-on = An
toggle-off = Aus
state-not-allowed = Microsoft Teams steht für dieses Konto nicht zur Verfügung. Ihre Administration kann es erlauben.
state-connector-off = Microsoft Teams ist auf diesem Server nicht bereit. Ihre Administration muss es einschalten.
state-connector-dead = Die Registrierung des Servers bei Microsoft funktioniert zurzeit nicht. Ihre Administration muss sie in Ordnung bringen; wartende Termine folgen dann von selbst, und Sie müssen sich nicht neu anmelden.
state-new = Nicht verbunden. Melden Sie sich einmal mit Ihrem Microsoft-Konto an; danach geht es von selbst.
state-waiting = Warten auf Ihre Anmeldung im anderen Fenster. Diese Seite geht von selbst weiter, wenn Sie fertig sind.
state-waiting-again = Anmeldung noch einmal öffnen
state-waiting-back = Zurück
state-connected = Verbunden mit { $microsoft }.
state-off = Ausgeschaltet. Neue Termine bekommen keine Teams-Besprechung; die eine haben, folgen Ihren Änderungen weiter. Sie bleiben mit { $microsoft } verbunden.
state-dead = Bis dahin warten neue Teams-Besprechungen; Termine werden gespeichert wie immer.
state-events-wait = Für einige Ihrer Termine möchte Microsoft, dass Sie sich erneut anmelden.
state-leaving = Wird getrennt. { $count ->
    [one] Ein Termin ist noch aus Teams zu nehmen.
   *[other] { $count } Termine sind noch aus Teams zu nehmen.
}
state-leaving-until = Wenn das getan ist, spätestens am { $when }, wird der Zugang zu { $microsoft } gelöscht.
state-leaving-finish = Jetzt trennen, den Rest in Teams lassen
connect = Mit Microsoft verbinden
reconnect = Erneut anmelden
other-account = Ein anderes Microsoft-Konto benutzen
opens-window = öffnet ein neues Fenster
check-again = Noch einmal nachsehen

## Was das Postfach kann

mailbox-ready = Ihr Microsoft-Konto kann Termine und Teams-Besprechungen haben.
mailbox-no-teams = Dieses Konto hat keine Teams-Lizenz: Termine erscheinen in seinem Kalender, aber ohne Besprechung. Bitten Sie Ihre Microsoft-Administration um eine Lizenz.
mailbox-personal = Dies ist ein privates Microsoft-Konto, für das Microsoft keine Teams-Besprechungen anlegt; Termine erscheinen trotzdem in seinem Kalender. Für Besprechungen verbinden Sie ein Geschäfts- oder Schulkonto.
mailbox-other-provider = Dieser Kalender legt Besprechungen nur in Skype for Business an; Termine erscheinen trotzdem darin. Ihre Microsoft-Administration kann das Konto auf Teams umstellen.
mailbox-no-mailbox = Dieses Microsoft-Konto hat kein Exchange-Online-Postfach, deshalb können Termine nicht in Teams erscheinen. Bitten Sie Ihre Microsoft-Administration um eines, oder verbinden Sie ein anderes Konto.
mailbox-not-ready-yet = Microsoft richtet dieses Postfach noch ein. Das kann eine Viertelstunde dauern; es wird von selbst wieder nachgesehen.
mailbox-unknown = Was dieses Microsoft-Konto kann, ist noch nicht bekannt. Klicken Sie auf „Verbindung testen“.

## Die Vorgabe für neue Termine

meetings-title = Neue Termine
meetings-legend = Meine Termine bekommen eine Teams-Besprechung
meetings-never = nur, wenn ich sie hinzufüge
meetings-with-guests = wenn sie Gäste haben
meetings-always = immer
meetings-save = Speichern
meetings-fixed = Das hat Ihre Administration für Sie festgelegt.

## Welche Termine

which-title = Welche Termine
which-intro = Ein Termin, der schon in Teams steht, folgt, wenn er das nächste Mal gespeichert wird.
which-save = Speichern
mirror-legend = In meinem Microsoft-Kalender erscheinen
mirror-all-events = alle meine Termine
mirror-teams-events = nur Termine mit Teams-Besprechung
exclude-class-legend = Private Termine
exclude-class-none = werden wie alle anderen behandelt
exclude-class-confidential = bleiben aus Teams heraus, wenn sie vertraulich sind
exclude-class-not-public = bleiben aus Teams heraus, private wie vertrauliche
exclude-categories-label = Kategorien, die aus Teams herausbleiben
exclude-categories-hint = Durch Kommas getrennt, zum Beispiel: Urlaub, Arzt
calendars-title = Kalender
calendars-intro = Termine eines Kalenders, der aus ist, bleiben aus Teams heraus. In dieser Liste steht ein Kalender, sobald darin ein Termin gespeichert wurde.
calendars-fixed = Wird nicht übertragen; das hat Ihre Administration für Sie festgelegt.

## Termine von vorher

older-title = Termine von vorher
older-offered = { $count ->
    [one] Ein kommender Termin wurde gespeichert, bevor Sie Teams eingeschaltet haben, und blieb deshalb, wie er ist.
   *[other] { $count } kommende Termine wurden gespeichert, bevor Sie Teams eingeschaltet haben, und blieben deshalb, wie sie sind.
}
older-how = Übernommen gelten sie, als hätten Sie sie jetzt gespeichert. Jeder folgt auch von selbst, sobald er wieder gespeichert wird.
older-include = { $count ->
    [one] Diesen Termin übernehmen
   *[other] Diese { $count } Termine übernehmen
}
older-wanted = Ihre kommenden Termine von vorher werden übernommen. Das dauert einige Minuten.

## Letzte Termine

events-title = Letzte Termine
events-none = Es wurde noch kein Termin nach Teams gebracht. Öffnen Sie einen Termin in Ihrem Kalender und fügen Sie Teams hinzu.
event-when = { $weekday }, { $day }. { $month } { $year }, { $time }
event-no-time = Ohne Zeit
event-join = Teilnehmen
event-open = In Teams zeigen
event-retry = Jetzt noch einmal versuchen
event-next-attempt = Der nächste Versuch ist am { $when }.
event-state-mirrored = In Teams
event-state-pending = Unterwegs
event-state-sign-in-needed = Wartet auf Ihre Anmeldung
event-state-admin-needed = Die Administration muss handeln
event-state-rejected = So nicht möglich
event-state-not-mirrored = Nicht in Teams
event-state-removed = In Teams gelöscht
event-reason-no-teams = Ohne Besprechung, weil das Microsoft-Konto keine haben kann.
event-reason-not-turned-on = Teams ist ausgeschaltet; der Termin bleibt, wie er ist.
event-reason-other-mailbox = Er steht im Kalender eines anderen, früher verbundenen Microsoft-Kontos und bleibt dort, wie er ist.
event-reason-no-meeting-wanted = Niemand hat um eine Besprechung gebeten.
event-reason-excluded = Er bleibt aus Teams heraus, weil seine Vertraulichkeit, eine seiner Kategorien oder eine Markierung darin ausgeschlossen ist.
event-reason-calendar-excluded = Er bleibt aus Teams heraus, weil sein Kalender nicht übertragen wird.
event-reason-cancelled = Der Termin ist abgesagt.
event-reason-past = Der Termin endete vor mehr als einem Tag; er wird nicht mehr nach Teams gebracht oder dort geändert.
event-reason-no-occurrences = Jedes Vorkommen des Termins ist gestrichen; es gibt nichts, was nach Teams zu bringen wäre.
event-reason-private = Der Termin ist privat, und Ihre Administration hält private Termine ohne Besprechung aus Teams heraus.
event-reason-attendee-copy = Jemand anderes organisiert den Termin; nur diese Person kann ihm eine Teams-Besprechung hinzufügen.
event-reason-deleted = In Ihrem Kalender gelöscht; er verlässt Teams in einem Augenblick.
event-reason-throttled = Microsoft bittet um eine Pause. Der Termin folgt von selbst.
event-reason-not-connected = Melden Sie sich bei Microsoft an; der Termin folgt dann von selbst.
event-reason-connection-dead = Melden Sie sich erneut bei Microsoft an; der Termin folgt dann von selbst.
event-reason-sign-in-needed = Melden Sie sich erneut bei Microsoft an; der Termin folgt dann von selbst.
event-reason-connector-off = Microsoft Teams ist von der Administration abgeschaltet.
event-reason-not-enabled = Microsoft Teams ist für dieses Konto nicht freigeschaltet.
event-reason-denied = Die Administration hat Microsoft Teams für dieses Konto nicht erlaubt.
event-given-up = { $why } Es wurde drei Tage lang versucht und ist aufgegeben, bis es noch einmal versucht oder der Termin gespeichert wird.
event-failed = Die Erweiterung ist an diesem Termin gescheitert: { $why }. Es wird noch einmal versucht.
event-moved = Die Besprechung wurde neu angelegt und hat einen neuen Link. Er steht jetzt in Ihrem Termin; schicken Sie ihn Ihren Gästen.
event-calendar-excluded = Dieser Termin bleibt aus Teams heraus, weil sein Kalender nicht übertragen wird. Bitte in einen anderen Kalender verschieben, den Kalender in Ihren Teams-Einstellungen einschalten oder die Administration Ihres Servers fragen; danach Teams erneut hinzufügen.

## Test

test-title = Test
test-intro = Fragt Microsoft einmal wirklich, ob alles funktioniert.
test-button = Verbindung testen
test-result = Ergebnis des Tests
test-token-ok = Zugang: Microsoft nimmt die Anmeldung an.
test-token-bad = Zugang: { $why }
test-mailbox-ok = Postfach: Es gibt eines.
test-mailbox-bad = Postfach: { $why }
test-calendar-ok = Kalender: Er ist erreichbar.
test-calendar-bad = Kalender: { $why }
test-provider-ok = Besprechungen: Teams-Besprechungen können angelegt werden.
test-provider-bad = Besprechungen: { $why }
test-mailbox-unasked = Postfach: So weit kam der Test nicht.
test-calendar-unasked = Kalender: So weit kam der Test nicht.
test-provider-unasked = Besprechungen: So weit kam der Test nicht.
test-not-connected = Es gibt keine Verbindung, die getestet werden kann.

## Was vom Microsoft-Konto aufbewahrt wird

held-title = Was von Ihrem Microsoft-Konto aufbewahrt wird
held-address = Die Adresse { $microsoft } und die Kennnummern von Microsoft für das Konto und seine Organisation.
held-last = Die Adresse { $microsoft }, um sie bei der nächsten Anmeldung vorzuschlagen. Der Zugang wurde gelöscht.
held-tokens = Die Erlaubnis, dort Ihren Kalender zu lesen und zu ändern, versiegelt; nie Ihr Kennwort, und nichts für E-Mail, Dateien oder Kontakte.
held-events = Von jedem übertragenen Termin seine Kennnummer bei Microsoft und der Teilnahmelink; sein Text, versiegelt, bis 30 Tage nach seinem Ende.

## Trennen

disconnect-title = Trennen
disconnect-intro = Beendet die Verbindung mit { $microsoft }. In Ihrem eigenen Kalender wird nichts gelöscht.
disconnect-legend = Kommende Termine, die in Teams stehen
disconnect-keep = In Teams lassen. Ihre Links gelten weiter; spätere Änderungen erreichen Teams nicht mehr.
disconnect-remove = Zuerst aus Teams nehmen. Ihre Links gelten dann nicht mehr; das dauert einen Augenblick.
disconnect-remove-dead = Um sie aus Teams zu nehmen, melden Sie sich zuerst erneut an.
disconnect-button = Trennen

## Was gerade getan wurde

notice-on = Teams ist eingeschaltet.
notice-off = Teams ist ausgeschaltet.
notice-saved = Gespeichert.
notice-disconnected = Getrennt. Der Zugang zu Microsoft wurde gelöscht.
notice-leaving = Termine werden aus Teams genommen; danach wird der Zugang gelöscht.
notice-older = Ihre kommenden Termine von vorher werden übernommen.
notice-retried = Der Termin wird noch einmal versucht.
notice-not-saved = Das wurde nicht gespeichert: Ihre Administration hat es anders festgelegt.
notice-too-long = Das wurde nicht gespeichert: Die Liste ist zu lang.

## Zeiten

weekday-1 = Montag
weekday-2 = Dienstag
weekday-3 = Mittwoch
weekday-4 = Donnerstag
weekday-5 = Freitag
weekday-6 = Samstag
weekday-7 = Sonntag
month-1 = Januar
month-2 = Februar
month-3 = März
month-4 = April
month-5 = Mai
month-6 = Juni
month-7 = Juli
month-8 = August
month-9 = September
month-10 = Oktober
month-11 = November
month-12 = Dezember
