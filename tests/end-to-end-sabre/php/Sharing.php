<?php

declare(strict_types=1);

use Sabre\CalDAV;

/*
 * Alice's calendar "work", shared with Bob, who finds it among his own as "from-alice". sabre/dav 1.8's database backend cannot
 * share; these nodes show it in the two ways there are: as sabre/dav 4 does, where only the invitations and the resource's name
 * say whose it is, and as Nextcloud and ownCloud do.
 */

final class SharingRoot extends CalDAV\CalendarRootNode
{
    /** @var class-string */
    public static string $kind = SharedAsSabre4::class;

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
            $calendars[] = new SharingRoot::$kind($this->caldavBackend, $calendar, null);
        }
        if ($user === 'bob') {
            foreach ($this->caldavBackend->getCalendarsForUser('principals/alice') as $calendar) {
                if ($calendar['uri'] === 'work') {
                    $theirs = ['uri' => 'from-alice', 'principaluri' => 'principals/bob'] + $calendar;
                    $calendars[] = new SharingRoot::$kind($this->caldavBackend, $theirs, 'principals/alice');
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

abstract class SharingCalendar extends CalDAV\Calendar
{
    public function __construct($backend, array $calendar, protected readonly ?string $sharer)
    {
        parent::__construct($backend, $calendar);
    }

    /** Whom a calendar is shared with may write. */
    public function getACL()
    {
        $bob = ['privilege' => '{DAV:}write', 'principal' => $this->calendarInfo['principaluri'], 'protected' => true];
        return [...parent::getACL(), $bob, ['privilege' => '{DAV:}read'] + $bob];
    }

    public function getChild($name)
    {
        $data = $this->caldavBackend->getCalendarObject($this->calendarInfo['id'], $name);
        if (!$data) {
            throw new Sabre\DAV\Exception\NotFound("There is no event '$name'");
        }
        return new CalDAV\CalendarObject($this->caldavBackend, $this->calendarInfo, $data);
    }

    /** Whom a calendar is shared with can leave it; nothing of it is deleted by that. */
    public function delete()
    {
        if ($this->sharer === null) {
            parent::delete();
        }
    }
}

final class SharedAsSabre4 extends SharingCalendar
{
    /** Its owner's: 1, may write: 3; as in Sabre\DAV\Sharing\Plugin. */
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
}

final class SharedAsNextcloud extends SharingCalendar
{
    public function getOwner()
    {
        return $this->sharer ?? parent::getOwner();
    }

    public function getPrincipalURI(): string
    {
        return $this->calendarInfo['principaluri'];
    }

    public function getResourceId(): int
    {
        return (int)$this->calendarInfo['id'];
    }

    protected function isShared(): bool
    {
        return $this->sharer !== null;
    }
}
