<?php

declare(strict_types=1);

use Sabre\CalDAV;

/*
 * A calendar that is shared, as sabre/dav 4 shows it: whom it is shared with finds it among their own, under a name of its own
 * and as theirs; only its invitations and its resource's name say whose it is. Alice's calendar "work" is shared with Bob here,
 * as "from-alice". sabre/dav 1.8's database backend cannot share.
 */

final class SharingRoot extends CalDAV\CalendarRootNode
{
    public function getChildForPrincipal(array $principal)
    {
        return new SharingHome($this->caldavBackend, $principal);
    }
}

final class SharingHome extends CalDAV\UserCalendars
{
    public function getChildren()
    {
        $user = basename($this->principalInfo['uri']);
        $calendars = [];
        foreach ($this->caldavBackend->getCalendarsForUser($this->principalInfo['uri']) as $calendar) {
            $calendars[] = new SharingCalendar($this->caldavBackend, $calendar, null);
        }
        if ($user === 'bob') {
            foreach ($this->caldavBackend->getCalendarsForUser('principals/alice') as $calendar) {
                if ($calendar['uri'] === 'work') {
                    $theirs = ['uri' => 'from-alice', 'principaluri' => 'principals/bob'] + $calendar;
                    $calendars[] = new SharingCalendar($this->caldavBackend, $theirs, 'principals/alice');
                }
            }
        }
        return $calendars;
    }

    public function getChild($name)
    {
        foreach ($this->getChildren() as $child) {
            if ($child->getName() === $name) {
                return $child;
            }
        }
        throw new Sabre\DAV\Exception\NotFound("There is no calendar '$name'");
    }
}

final class SharingCalendar extends CalDAV\Calendar
{
    public function __construct($backend, array $calendar, private readonly ?string $sharer)
    {
        parent::__construct($backend, $calendar);
    }

    /** Not shared: 0, its owner: 1, may write: 3; as in Sabre\DAV\Sharing\Plugin. */
    public function getShareAccess(): int
    {
        return $this->sharer === null ? 1 : 3;
    }

    public function getShareResourceUri(): string
    {
        return "/ns/share/{$this->calendarInfo['id']}";
    }

    /** @return object[] */
    public function getInvites(): array
    {
        return [
            (object)['access' => 1, 'principal' => $this->sharer ?? $this->getOwner()],
            (object)['access' => 3, 'principal' => 'principals/bob'],
        ];
    }

    /** Whom a calendar is shared with can leave it; nothing of it is deleted by that. */
    public function delete()
    {
        if ($this->sharer === null) {
            parent::delete();
        }
    }
}
