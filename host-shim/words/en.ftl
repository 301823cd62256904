# What users are told, in English: the language every other catalogue is measured by.
# A variable such as { $account } stands for a name, an address, a code or a time.

## How an account stands

standing-not-enabled = Microsoft Teams is not enabled for this account.
standing-denied = The administrator has not allowed Microsoft Teams for this account.
standing-unknown = This account has not used Microsoft Teams yet.
standing-off = Microsoft Teams is not turned on for this account.
standing-leaving = This account is being disconnected from Microsoft Teams.
standing-connector-off = Microsoft Teams is switched off by the administrator.
standing-connector-dead = The server’s registration with Microsoft does not work at the moment. The administrator has to mend it.
standing-not-connected = Sign in to Microsoft to connect this account.
standing-connected = Connected with { $microsoft }.

## What ended a connection

dead-disabled = This Microsoft account is disabled. Ask its administrator, then sign in again.
dead-consent = The permission for the calendar is missing. Sign in again and accept, or ask the administrator to.
dead-seen-again = Microsoft wants to see you again (a second factor, or a rule of your organisation). Sign in again.
dead-unused = The connection was not used for too long. Sign in to Microsoft again.
dead-ended = The connection to Microsoft has ended. Sign in to Microsoft again.
dead-scope = A permission is missing that was there before. Sign in again and accept it.
dead-other-identity = Microsoft answered for another account than the connected one. Sign in again.

## What is wrong with the registration, for whoever administers it

admin-secret-expired = The client secret has expired. Make a new one at Microsoft and set its “Value” in the connector.
admin-secret-wrong = The client secret is wrong. Set the secret’s “Value” (not its “Secret ID”) in the connector.
admin-secret-missing = Microsoft asks for a client secret. Set it, and register the platform as “Web”.
admin-client-unknown = Microsoft does not know the client id, or the application is switched off there. Check both.
admin-tenant-unknown = Microsoft does not know the tenant in the connector’s endpoints. Check the account type.
admin-redirect = The redirect address is not registered with Microsoft. Register it letter for letter.
admin-single-tenant = The application is for one tenant only. Set the connector’s account type to that tenant’s id.
admin-refused = Microsoft refuses the application. Check client id, client secret and endpoints of the connector.
admin-no-refresh-token = Microsoft gave no refresh token; the scopes lack “offline_access”.
microsoft-said = Microsoft said: “{ $detail }”

## What may go better later

later-not-asked = Microsoft’s sign-in service could not be asked.
later-refused-here = Microsoft’s sign-in service cannot be asked: { $why }.
later-no-answer = Microsoft’s sign-in service does not answer.
later-busy = Microsoft’s sign-in service is busy or down.
later-status = Microsoft’s sign-in service is busy or down (status { $status }).
later-no-sense = Microsoft’s sign-in service gave an answer that is none (status { $status }).
later-asked = Microsoft’s sign-in service asks to try again later ({ $code }).
later-unknown = Microsoft’s sign-in service refused the request ({ $code }).

## The sign-in

sign-in-connected-title = Teams is connected
sign-in-connected = The calendar of { $account } is now connected with the Microsoft account { $microsoft }.
sign-in-problem-title = Teams is not connected
sign-in-stale = This sign-in is no longer open: it was used already, or took too long.
sign-in-other-browser = This sign-in was begun in another browser.
sign-in-declined = Microsoft ended the sign-in without connecting anything.
sign-in-not-confirmed = You did not connect the two. Nothing was kept of the sign-in.
sign-in-permission = Microsoft did not give the permission “{ $permission }”, without which nothing can be mirrored.
sign-in-mismatch = The answer did not fit the sign-in that was begun ({ $what }).
sign-in-taken = The Microsoft account { $microsoft } is connected with another account of this server already.
sign-in-admin = The server’s registration with Microsoft does not work. The administrator has to mend it:
sign-in-leaving = This calendar is being disconnected from Microsoft: events are still being taken out of Teams.
sign-in-failed = The sign-in could not be kept.
next-close = You can close this window.
next-settings = Back to the settings
next-begin-again = Go back to your settings and begin again.
next-ask-administrator = Ask your administrator.
next-try-again = Go back to your settings to try again.
next-other-account = Sign in with another Microsoft account, or disconnect it there first.
next-disconnected = Try again when that is done; your settings tell how far it is, and can end it at once.
next-later = Try again in a few minutes.

## The question after the sign-in

confirm-title = Connect these two?
confirm-question = Connect the calendar of { $account } with the Microsoft account { $microsoft }?
confirm-effect = Events with Teams then appear in the Microsoft calendar of { $microsoft }, and their join links in your calendar. Where your administrator chose to show all events, the others appear there, too; your settings tell.
confirm-instead = It takes the place of { $microsoft }.
confirm-events = { $count ->
    [one] One event to come stands in the calendar of the Microsoft account you used before.
   *[other] { $count } events to come stand in the calendar of the Microsoft account you used before.
}
confirm-events-legend = What should become of them?
confirm-keep = Leave them there. Their links go on working; later changes of these events no longer reach Teams.
confirm-move = Make them anew with { $microsoft }. Guests get a new link; the old entries stay where they are.
confirm-yes = Connect
confirm-no = Cancel
confirm-other = Use another Microsoft account

## Pages that only say something

nothing-here-title = There is nothing here
nothing-here = This address belongs to the connection between your calendar and Microsoft Teams.
nothing-here-next = Go back to the settings in your webmail or calendar and start from there.
not-understood-title = That could not be read
not-understood = What your browser sent is not what this page sends, so nothing was changed.
not-understood-next = Open the settings again from your webmail or calendar.
broken-title = Something broke here
broken = That could not be carried on. Nothing was changed.
broken-next = Go back to the settings in your webmail or calendar and try again; if it happens again, tell your administrator.
session-over-title = This page is no longer open
session-over = The link to it was used already or is too old, or the page was open for more than an hour.
session-over-next = Open the settings again from your webmail or calendar.
no-cookie-title = Open the settings in a window of their own
no-cookie = Your browser keeps no cookies for this page inside another one.
no-cookie-open = Open in a new window
no-cookie-next = If this page comes again there, allow cookies for this site.
form-foreign-title = That was not sent from this page
form-foreign = The form does not belong to the settings that are open in this browser, so nothing was changed.
form-foreign-next = Open the settings again from your webmail or calendar.

## The settings page

settings-title = Microsoft Teams
settings-for = Settings of { $account }
settings-intro = Events you save with Teams appear in your Microsoft Teams calendar, and the join link comes back into the event. Where your administrator chose to show all events, the others appear there, too.
toggle-label = Teams for my calendar
toggle-on = On
toggle-off = Off
state-not-allowed = Microsoft Teams is not available for this account. Your administrator can allow it.
state-connector-off = Microsoft Teams is not ready on this server. Your administrator has to switch it on.
state-connector-dead = The server’s registration with Microsoft does not work at the moment. Your administrator has to mend it; events that wait follow by themselves, and you need not sign in again.
state-new = Not connected. Sign in once with your Microsoft account; after that it works by itself.
state-waiting = Waiting for you to sign in, in the other window. This page goes on by itself when you are done.
state-waiting-again = Open the sign-in again
state-waiting-back = Back
state-connected = Connected with { $microsoft }.
state-off = Turned off. New events get no Teams meeting; those that have one still follow your changes. You stay connected with { $microsoft }.
state-dead = Until you do, new Teams meetings wait; events are saved as always.
state-events-wait = Microsoft wants you to sign in again for some of your events.
state-leaving = Disconnecting. { $count ->
    [one] One event is still to be taken out of Teams.
   *[other] { $count } events are still to be taken out of Teams.
}
state-leaving-until = When that is done, and at the latest on { $when }, the access to { $microsoft } is wiped.
state-leaving-finish = Disconnect now, leave the rest in Teams
connect = Connect with Microsoft
reconnect = Sign in again
other-account = Use another Microsoft account
opens-window = opens in a new window
check-again = Check again

## What the mailbox can do

mailbox-ready = Your Microsoft account can have events and Teams meetings.
mailbox-no-teams = This account has no Teams licence: events appear in its calendar, but without meetings. Ask your Microsoft administrator for a licence.
mailbox-personal = This is a personal Microsoft account, for which Microsoft makes no Teams meetings; events still appear in its calendar. For meetings connect a work or school account.
mailbox-other-provider = This calendar makes meetings only in Skype for Business; events still appear in it. Your Microsoft administrator can switch the account to Teams.
mailbox-no-mailbox = This Microsoft account has no Exchange Online mailbox, so events cannot appear in Teams. Ask your Microsoft administrator for one, or connect another account.
mailbox-not-ready-yet = Microsoft is still setting up this mailbox. That can take a quarter of an hour; it is checked again by itself.
mailbox-unknown = What this Microsoft account can do is not known yet. Press “Test the connection”.

## The default for new events

meetings-title = New events
meetings-legend = My events get a Teams meeting
meetings-never = only when I add it
meetings-with-guests = when they have guests
meetings-always = always
meetings-save = Save
meetings-fixed = Your administrator has chosen this for you.

## Which events

which-title = Which events
which-intro = An event that is in Teams already follows at its next save.
which-save = Save
mirror-legend = In my Microsoft calendar appear
mirror-all-events = all my events
mirror-teams-events = only events with a Teams meeting
exclude-class-legend = Private events
exclude-class-none = are treated like all others
exclude-class-confidential = stay out of Teams where they are confidential
exclude-class-not-public = stay out of Teams, private and confidential ones
exclude-categories-label = Categories that stay out of Teams
exclude-categories-hint = Separated by commas, for example: Holiday, Doctor
calendars-title = Calendars
calendars-intro = Events of a calendar that is off stay out of Teams. A calendar is in this list once an event was saved in it.
calendars-fixed = Not mirrored; your administrator has chosen this for you.

## Events from before

older-title = Events from before
older-offered = { $count ->
    [one] One coming event was saved before you turned Teams on, so it was left as it is.
   *[other] { $count } coming events were saved before you turned Teams on, so they were left as they are.
}
older-how = Included, they are treated as if you had saved them now. Each follows by itself, too, once it is saved again.
older-include = { $count ->
    [one] Include this event
   *[other] Include these { $count } events
}
older-wanted = Your coming events from before are being included. That takes a few minutes.

## Last events

events-title = Last events
events-none = No event has been brought to Teams yet. Open an event in your calendar and add Teams.
event-when = { $weekday }, { $day } { $month } { $year }, { $time }
event-no-time = Without a time
event-join = Join
event-open = Show in Teams
event-retry = Try again now
event-next-attempt = It is tried again on { $when }.
event-state-mirrored = In Teams
event-state-pending = On its way
event-state-sign-in-needed = Waits for your sign-in
event-state-admin-needed = An administrator has to act
event-state-rejected = Not possible as it is
event-state-not-mirrored = Not in Teams
event-state-removed = Deleted in Teams
event-reason-no-teams = Without a meeting, because the Microsoft account can have none.
event-reason-not-turned-on = Teams is turned off; the event stays as it is.
event-reason-other-mailbox = It stands in the calendar of another Microsoft account, connected before, and is left as it is there.
event-reason-no-meeting-wanted = Nobody asked for a meeting.
event-reason-excluded = It stays out of Teams, because its privacy class, one of its categories or a mark in it is excluded.
event-reason-calendar-excluded = It stays out of Teams, because its calendar is not mirrored.
event-reason-cancelled = The event is cancelled.
event-reason-past = The event ended more than a day ago, so it is not brought to Teams or changed there any more.
event-reason-no-occurrences = Every occurrence of the event is taken out, so there is nothing to bring to Teams.
event-reason-private = The event is private, and your administrator keeps private events without a meeting out of Teams.
event-reason-attendee-copy = Somebody else organises the event; only they can add a Teams meeting to it.
event-reason-deleted = Deleted in your calendar; it leaves Teams in a moment.
event-reason-throttled = Microsoft asks for a pause. The event follows by itself.
event-reason-not-connected = Sign in to Microsoft; the event then follows by itself.
event-reason-connection-dead = Sign in to Microsoft again; the event then follows by itself.
event-reason-sign-in-needed = Sign in to Microsoft again; the event then follows by itself.
event-reason-connector-off = Microsoft Teams is switched off by the administrator.
event-reason-not-enabled = Microsoft Teams is not enabled for this account.
event-reason-denied = The administrator has not allowed Microsoft Teams for this account.
event-given-up = { $why } It was tried for three days and is given up until it is tried again or saved.
event-failed = The extension failed on this event: { $why }. It is tried again.
event-moved = The meeting was made anew and has a new link. Your event carries it now; send it to your guests.
event-calendar-excluded = This event stays out of Teams, because the calendar it is in is not mirrored. Move it to another calendar, switch that calendar on in your Teams settings, or ask your server’s administrator; then add Teams again.

## Test

test-title = Test
test-intro = Asks Microsoft, once, whether everything really works.
test-button = Test the connection
test-result = Result of the test
test-token-ok = Access: Microsoft accepts the sign-in.
test-token-bad = Access: { $why }
test-mailbox-ok = Mailbox: there is one.
test-mailbox-bad = Mailbox: { $why }
test-calendar-ok = Calendar: it can be reached.
test-calendar-bad = Calendar: { $why }
test-provider-ok = Meetings: Teams meetings can be made.
test-provider-bad = Meetings: { $why }
test-mailbox-unasked = Mailbox: the test did not get that far.
test-calendar-unasked = Calendar: the test did not get that far.
test-provider-unasked = Meetings: the test did not get that far.
test-not-connected = There is no connection to test.

## What is held of the Microsoft account

held-title = What is held of your Microsoft account
held-address = The address { $microsoft }, and Microsoft’s identifiers of that account and its organisation.
held-last = The address { $microsoft }, to suggest it when you sign in again. The access was wiped.
held-tokens = The permission to read and write your calendar there, sealed; never your password, and nothing for mail, files or contacts.
held-events = Of each mirrored event its identifier at Microsoft and the join link; its text, sealed, until 30 days after its end.

## Disconnect

disconnect-title = Disconnect
disconnect-intro = Ends the connection with { $microsoft }. Nothing is deleted in your own calendar.
disconnect-legend = Events to come that stand in Teams
disconnect-keep = Leave them in Teams. Their links go on working; later changes no longer reach Teams.
disconnect-remove = Take them out of Teams first. Their links stop working; that takes a moment.
disconnect-remove-dead = To take them out of Teams, sign in again first.
disconnect-button = Disconnect

## What was just done

notice-on = Teams is turned on.
notice-off = Teams is turned off.
notice-saved = Saved.
notice-disconnected = Disconnected. The access to Microsoft has been wiped.
notice-leaving = Events are being taken out of Teams; then the access is wiped.
notice-older = Your coming events from before will be included.
notice-retried = The event is tried again.
notice-not-saved = That was not saved: your administrator has chosen otherwise.
notice-too-long = That was not saved: the list is too long.

## Times

weekday-1 = Monday
weekday-2 = Tuesday
weekday-3 = Wednesday
weekday-4 = Thursday
weekday-5 = Friday
weekday-6 = Saturday
weekday-7 = Sunday
month-1 = January
month-2 = February
month-3 = March
month-4 = April
month-5 = May
month-6 = June
month-7 = July
month-8 = August
month-9 = September
month-10 = October
month-11 = November
month-12 = December
