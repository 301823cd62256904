<?php

declare(strict_types=1);

use Sabre\DAV;
use Sabre\VObject\Reader;

/**
 * What sabre/dav's own scheduling would mail, as files. sabre/dav 1.8 sends no invitations of its own; this listens where the
 * newer ones' CalDAV plugin raises `calendarObjectChange` for its scheduling: `beforeCreateFile` and `beforeWriteContent`, at
 * 100, after the text was checked. A new guest gets a REQUEST with the text as it is at that moment, as the newer ones send it.
 */
final class SchedulingStandIn extends DAV\ServerPlugin
{
    public function __construct(private readonly string $folder)
    {
    }

    public function initialize(DAV\Server $server): void
    {
        $server->subscribeEvent('beforeCreateFile', fn ($path, &$data) => $this->changed('', $data), 100);
        $server->subscribeEvent('beforeWriteContent', fn ($path, $node, &$data) => $this->changed($node->get(), $data), 100);
    }

    private function changed(string $before, mixed &$data): void
    {
        if (is_resource($data)) {
            $data = stream_get_contents($data);
        }
        foreach (array_diff($this->guests($data), $before === '' ? [] : $this->guests($before)) as $guest) {
            file_put_contents(tempnam($this->folder, 'mail-'), "To: $guest\r\nMETHOD:REQUEST\r\n\r\n$data");
        }
    }

    /** @return string[] */
    private function guests(string $text): array
    {
        $guests = [];
        foreach (Reader::read($text)->select('VEVENT') as $event) {
            foreach ($event->select('ATTENDEE') as $attendee) {
                $guests[] = strtolower((string)$attendee);
            }
        }
        return array_unique($guests);
    }
}
