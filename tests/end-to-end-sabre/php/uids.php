<?php

/*
 * Which texts are one event, and under which UID: prints what is wrong.
 */

declare(strict_types=1);

error_reporting(E_ALL & ~E_DEPRECATED & ~E_WARNING);

require 'Sabre/autoload.php';
require getenv('TEAMS_MIRROR_PLUGIN');

function calendar(string ...$lines): string
{
    return implode("\r\n", ['BEGIN:VCALENDAR', 'VERSION:2.0', ...$lines, 'END:VCALENDAR', '']);
}

function event(string ...$lines): string
{
    return implode("\r\n", ['BEGIN:VEVENT', ...$lines, 'END:VEVENT']);
}

$cases = [
    ['plain', calendar(event('UID:e1')), 'e1'],
    ['lower case', calendar(event('uid:e1')), 'e1'],
    ['a colon in quotes', calendar(event('UID;X-A="b:c":e1')), 'e1'],
    ['two parameters', calendar(event('UID;X-A="b:c";X-D=e:e1')), 'e1'],
    ['escapes', calendar(event('UID:a\\,b\\;c\\\\d')), 'a,b;c\\d'],
    ['folds', calendar(event("UID:lo\r\n ng\r\n\ter")), 'longer'],
    ['spaces', calendar(event('UID: e 1')), ' e 1'],
    ['letters', calendar(event('UID:ü@x')), 'ü@x'],
    ['a number', calendar(event('UID:0')), '0'],
    ['no carriage returns', str_replace("\r\n", "\n", calendar(event("UID:lo\n ng"))), 'long'],
    ['other separators', calendar(event('UID:e1', "SUMMARY:a\u{2028}UID:e2\x0bUID:e3\u{85}UID:e4")), 'e1'],
    ['exceptions', calendar(
        'BEGIN:VTIMEZONE',
        'TZID:X',
        'END:VTIMEZONE',
        event('UID:e1'),
        event('UID:e1', 'RECURRENCE-ID:20300101T100000Z', 'BEGIN:VALARM', 'UID:alarm', 'END:VALARM')
    ), 'e1'],
    ['a method of an event', calendar(event('UID:e1', 'METHOD:x')), 'e1'],
    ['an alarm before the UID', calendar(event('BEGIN:VALARM', 'END:VALARM', 'UID:e1')), 'e1'],
    ['a hundred thousand lines', calendar(event('UID:e1', ...array_fill(0, 100_000, 'X-A:1'))), 'e1'],
    ['a long line', calendar(event('UID:e1', 'ATTACH:' . str_repeat('x', 4_000_000))), 'e1'],
    ['several', calendar(event('UID:e1'), event('UID:e2')), null],
    ['without a UID', calendar(event('SUMMARY:x')), null],
    ['one of two without', calendar(event('UID:e1'), event('SUMMARY:x')), null],
    ['the first of two without', calendar(event('SUMMARY:x'), event('UID:e1')), null],
    ['an empty UID', calendar(event('UID:')), null],
    ['two UIDs', calendar(event('UID:e1', 'UID:e2')), null],
    ['a long UID', calendar(event('UID:' . str_repeat('x', 1025))), null],
    ['a message', calendar('METHOD:REQUEST', event('UID:e1')), null],
    ['a task', calendar('BEGIN:VTODO', 'UID:t', 'END:VTODO'), null],
    ['a task beside', calendar(event('UID:e1'), 'BEGIN:VTODO', 'UID:e1', 'END:VTODO'), null],
    ['nothing', '', null],
    ['a card', "BEGIN:VCARD\r\nUID:c\r\nEND:VCARD\r\n", null],
    ['two calendars', calendar(event('UID:e1')) . calendar(event('UID:e1')), null],
    ['cut off', substr(calendar(event('UID:e1')), 0, -20), null],
    ['wrongly nested', calendar('BEGIN:VEVENT', 'UID:e1', 'BEGIN:VALARM', 'END:VEVENT', 'END:VALARM'), null],
];
$wrong = 0;
foreach ($cases as [$what, $text, $uid]) {
    $found = TeamsMirror\Text::eventUid($text);
    if ($found !== $uid) {
        $wrong++;
        echo "$what: ", var_export($found, true), ' instead of ', var_export($uid, true), "\n";
    }
}
echo count($cases), " texts\n";
exit($wrong === 0 ? 0 : 1);
