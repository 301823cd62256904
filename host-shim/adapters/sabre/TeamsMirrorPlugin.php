<?php

declare(strict_types=1);

namespace TeamsMirror;

use Sabre\CalDAV\CalendarHome;
use Sabre\CalDAV\ICalendar;
use Sabre\CalDAV\ICalendarObject;
use Sabre\CalDAV\UserCalendars;
use Sabre\DAV\ICollection;
use Sabre\DAV\Server;
use Sabre\DAV\ServerPlugin;
use Sabre\DAVACL\IPrincipal;
use Sabre\VObject\Reader;

// Called from cron: this file runs without sabre/dav, and asks the server to do the work. What follows is not reached then.
if (PHP_SAPI === 'cli' && isset($argv[0]) && realpath($argv[0]) === __FILE__) {
    exit(Command::run(array_slice($argv, 1)));
}

/**
 * Shows a sabre/dav server's events in Microsoft Teams: a client of teams-mirror's hook API.
 *
 * A save has two beats. Before sabre stores a text the hook is asked which text to store, which is the client's with the join
 * link; afterwards it is told what became of it. Deletes, moves and copies are told after they happened, by looking at what is
 * stored then. A note is on disk before anything is stored, so that what teams-mirror could not be told is told later.
 *
 * The first beat listens to `beforeCreateFile` and `beforeWriteContent` at a priority below 100. sabre's CalDAV plugin raises
 * `calendarObjectChange`, upon which invitations are sent, from its own listeners to these two, at 100. So the link is in the
 * text before anybody is invited, and what sabre parses, checks and sends is the text with the link. `calendarObjectChange`
 * itself, which sabre has since 2.1 only, would hand us a parsed calendar, in which lines cannot be edited. Preconditions, locks
 * and rights have been looked at by then.
 *
 * Nothing in here may ever fail a request: every listener lets sabre go on, whatever happens.
 */
class TeamsMirrorPlugin extends ServerPlugin
{
    /** Before the CalDAV plugin, which reads and checks the text at 100. */
    private const BEFORE_CALDAV = 90;
    /** Before the login is asked for, at 10. */
    private const BEFORE_LOGIN = 5;
    /** After the login, before rights are looked at, at 20. */
    private const AFTER_LOGIN = 15;
    /** An object that changes while it is told is told again, so often. */
    private const ROUNDS = 5;
    /** How often requests look for work that is left, in seconds. */
    private const WORK_EVERY = 30;
    /** How long that may take at the end of a request, in seconds. */
    private const WORK_BRIEFLY = 2.0;
    /** How long it may take when cron asks for it, in seconds. */
    private const WORK_LONG = 45.0;

    private Server $server;
    /** @var array<string, mixed> */
    private array $settings;
    private ?Hook $hook = null;
    private ?Spool $spool = null;
    /** Why nothing is mirrored, for whoever asks. */
    private string $problem = '';
    /** The save that was announced and not reported yet. */
    private ?Save $save = null;
    /** @var Note[] What this request may change, and has not been told. */
    private array $pending = [];
    private bool $finished = false;

    /** @param array<string, mixed> $settings See the page beside this file. */
    public function __construct(array $settings)
    {
        try {
            $this->settings = Settings::checked($settings);
            $this->spool = new Spool($this->settings['spool'], $this->settings['spool_limit']);
            $this->hook = new Hook($this->settings);
        } catch (\Throwable $error) {
            $this->problem = $error->getMessage();
            $this->settings = Settings::DEFAULTS;
            error_log('teams-mirror: nothing is mirrored: ' . $this->problem);
        }
    }

    public function getPluginName(): string
    {
        return 'teams-mirror';
    }

    public function initialize(Server $server): void
    {
        $this->server = $server;
        $this->on('beforeMethod', fn () => $this->page('work', $this->workPage(...)), self::BEFORE_LOGIN);
        $this->on('beforeMethod', fn () => $this->page('', $this->settingsPage(...)), self::AFTER_LOGIN);
        if ($this->hook === null) {
            return;
        }
        // sabre hands in the text, and since 2.1 whether it was modified, by reference.
        $create = function ($path, &$data, $parent, &$modified = null): void {
            $this->safely(function () use ($path, &$data, $parent, &$modified): void {
                $this->announce($path, $parent, null, $data, $modified);
            });
        };
        $write = function ($path, $node, &$data, &$modified = null): void {
            $this->safely(function () use ($path, $node, &$data, &$modified): void {
                if ($node instanceof ICalendarObject) {
                    $this->announce($path, $this->parent($path), (string)$this->text($node), $data, $modified);
                }
            });
        };
        $this->on('beforeCreateFile', $create, self::BEFORE_CALDAV);
        $this->on('beforeWriteContent', $write, self::BEFORE_CALDAV);
        $safely = fn (callable $what) => function (...$given) use ($what): void {
            $this->safely(fn () => $what(...$given));
        };
        $this->on('afterCreateFile', $safely(fn ($path) => $this->stored($path)));
        $this->on('afterWriteContent', $safely(fn ($path) => $this->stored($path)));
        // After everybody who may say no to it.
        $this->on('beforeUnbind', $safely(fn ($path) => $this->leaves($path)), 1000);
        $this->on('beforeBind', $safely(fn ($path) => $this->arrives($path)), 1000);
        $this->on('afterUnbind', $safely(fn () => $this->moving() ?: $this->tellPending()), 1000);
        $this->on('afterBind', $safely(fn () => $this->moving() && $this->tellPending()), 1000);
        $this->on('exception', $safely(fn () => $this->failed()));
        $this->on('afterResponse', $safely(fn () => $this->finish()), 1000);
        register_shutdown_function($safely(fn () => $this->finish()));
    }

    /** Subscribes to an event of sabre/dav: 1.8's way, or the one since 2.0. */
    private function on(string $event, callable $listener, int $priority = 100): void
    {
        if ($this->isOld()) {
            $this->server->subscribeEvent($event, $listener, $priority);
            return;
        }
        // Since 4.0 the method is part of the event's name.
        $wild = $event === 'beforeMethod' && trait_exists(\Sabre\Event\WildcardEmitterTrait::class);
        $this->server->on($wild ? 'beforeMethod:*' : $event, $listener, $priority);
    }

    /** Whether this is sabre/dav 1.8. */
    private function isOld(): bool
    {
        return !method_exists($this->server, 'on');
    }

    /** Whatever happens to us is no reason to fail a request. */
    private function safely(callable $what): void
    {
        try {
            $what();
        } catch (\Throwable $error) {
            $this->loudly('failed', sprintf(
                'this went wrong, and the request goes on without it: %s (%s:%d)',
                $error->getMessage(),
                basename($error->getFile()),
                $error->getLine()
            ));
        }
    }

    // The two beats of a save.

    /** First beat. `$before` is the text that is replaced. */
    private function announce(string $path, mixed $calendar, ?string $before, mixed &$data, mixed &$modified): void
    {
        if (!$calendar instanceof ICalendar) {
            return;
        }
        if (is_resource($data)) {
            $data = (string)stream_get_contents($data);
        }
        $owner = $this->owner($calendar);
        $account = $owner === null ? null : $this->account($owner);
        $text = $this->asICalendar((string)$data);
        $uid = $text === null ? null : Text::eventUid($text);
        $old = $before === null ? null : Text::eventUid($before);
        if ($account === null || ($uid ?? $old) === null) {
            return;
        }
        $object = $this->canonical($path, $calendar, $owner);
        $overwritten = $old !== null && $old !== $uid ? [Note::look($account, $old, $object)] : [];
        if ($uid === null || $this->spool->isDown()) {
            $this->pend([...$overwritten, ...($uid === null ? [] : [Note::look($account, $uid, $object)])]);
            return;
        }
        $change = bin2hex(random_bytes(16));
        $note = $this->note([Note::look($account, $uid, $object, $change), ...$overwritten]);
        if ($note !== null) {
            $this->pending[] = $note;
        }
        $slot = $this->spool->slot($this->settings['max_waiting']);
        try {
            $begun = microtime(true);
            $answer = $this->hook->announce(
                $account,
                $uid,
                $text,
                $object,
                $this->calendar($object, $calendar),
                $change,
                $slot !== null
            );
        } catch (Unanswered $error) {
            $this->unanswered($error);
            return;
        } finally {
            $this->spool->unlock($slot);
        }
        $this->answers();
        $save = new Save($path, $account, $uid, $change, $note, $before, $overwritten !== []);
        $save->time = max(1.0, $this->settings['patience'] - (microtime(true) - $begun));
        $amended = $answer->isEvent() ? $answer->field('icalendar') : null;
        if (is_string($amended) && $amended !== $text) {
            if ($this->isReadable($amended)) {
                $data = $amended;
                $modified = true;
                if ($this->isOld()) {
                    // This sabre would give the ETag of a text that the client never sent (RFC 4791 section 5.3.4).
                    header_register_callback(fn () => header_remove('ETag'));
                }
            } else {
                $save->result = 'stored-original';
            }
        }
        if (!$answer->isTaken()) {
            $this->loudly('refused', "`$object` is not mirrored: {$answer->sentence()}");
        }
        $save->recorded = $answer->isEvent() && $answer->field('change') !== 'unrecorded';
        // Against a link that is written back at the same moment.
        $save->lock = $this->spool->lock($object);
        $this->save = $save;
    }

    /** Second beat: it is stored. */
    private function stored(string $path): void
    {
        if ($this->save !== null && $this->save->path === $path) {
            $this->report($this->save->result);
        } elseif ($this->pending !== []) {
            $this->tellPending();
        }
    }

    /** The request ends with an error. That may have come after the store; then the note tells what is stored. */
    private function failed(): void
    {
        $node = $this->save === null ? null : $this->node($this->save->path);
        if ($this->save !== null && ($node instanceof ICalendarObject ? $this->text($node) : null) === $this->save->before) {
            $this->report('refused');
        }
    }

    private function report(string $result): void
    {
        [$save, $this->save] = [$this->save, null];
        $this->spool->unlock($save->lock);
        if ($save->recorded) {
            try {
                $taken = $this->hook->report($save->account, $save->uid, $save->change, $result, $save->time)->isTaken();
            } catch (Unanswered $error) {
                $this->unanswered($error);
                return;
            }
            if (!$taken) {
                // The note tells what is stored now.
                return;
            }
        }
        if ($save->overwrites) {
            // The note tells of the event that was here before.
            $this->tellPending();
            return;
        }
        $save->note?->done();
        $this->pending = array_filter($this->pending, fn (Note $note) => $note !== $save->note);
    }

    // Deletes, moves, copies.

    private function leaves(string $path): void
    {
        $looks = [];
        foreach ($this->eventsUnder($path) as [$at, $calendar, $uid]) {
            $owner = $this->owner($calendar);
            $account = $owner === null ? null : $this->account($owner);
            if ($account !== null) {
                $looks[] = Note::look($account, $uid, $this->canonical($at, $calendar, $owner));
            }
        }
        $this->pend($looks);
    }

    /** Something is about to be under `$path`; a MOVE or a COPY tells us what. */
    private function arrives(string $path): void
    {
        if (!$this->moving()) {
            return;
        }
        $from = trim($this->server->getRequestUri(), '/');
        $into = $this->parent($path);
        $isOurs = $into instanceof ICalendar || $into instanceof CalendarHome || $into instanceof UserCalendars;
        $owner = $isOurs ? $this->owner($into) : null;
        $account = $owner === null ? null : $this->account($owner);
        if ($account === null) {
            return;
        }
        $looks = [];
        foreach ($this->eventsUnder($from) as [$at, , $uid]) {
            $to = trim($path, '/') . substr($at, strlen($from));
            $looks[] = Note::look($account, $uid, $into instanceof ICalendar ? $this->canonical($to, $into, $owner) : $to);
        }
        $this->pend($looks);
    }

    private function moving(): bool
    {
        return in_array($this->server->httpRequest->getMethod(), ['MOVE', 'COPY'], true);
    }

    /**
     * The events at or below a path.
     *
     * @return iterable<array{string, ICalendar, string}> Path, calendar and UID.
     */
    private function eventsUnder(string $path): iterable
    {
        $path = trim($path, '/');
        try {
            // As sabre has just found it: most of what is removed on a Nextcloud are files, which cost nothing here.
            $node = $this->server->tree->getNodeForPath($path);
        } catch (\Sabre\DAV\Exception $error) {
            return;
        }
        if ($node instanceof ICalendarObject) {
            $calendar = $this->parent($path);
            $uid = Text::eventUid((string)$this->text($node));
            if ($calendar instanceof ICalendar && $uid !== null) {
                yield [$path, $calendar, $uid];
            }
        } elseif ($node instanceof ICalendar) {
            // A share that leaves the list of whom it was shared with takes no event with it.
            foreach ($this->isShared($node) ? [] : $node->getChildren() as $child) {
                $uid = $child instanceof ICalendarObject ? Text::eventUid((string)$this->text($child)) : null;
                if ($uid !== null) {
                    yield ["$path/{$child->getName()}", $node, $uid];
                }
            }
        } elseif ($node instanceof CalendarHome || $node instanceof UserCalendars) {
            foreach ($node->getChildren() as $child) {
                if ($child instanceof ICalendar) {
                    yield from $this->eventsUnder("$path/{$child->getName()}");
                }
            }
        }
    }

    // Notes.

    /** @param array<int, array<string, string>> $looks */
    private function pend(array $looks): void
    {
        $note = $looks === [] ? null : $this->note($looks);
        if ($note !== null) {
            $this->pending[] = $note;
        }
    }

    /** Without a note the request goes on all the same; only what happens to the hook or to this process is lost then. */
    private function note(array $looks): ?Note
    {
        // From here on the server sees it through, even if the client goes away.
        ignore_user_abort(true);
        try {
            return $this->spool->note($looks);
        } catch (\RuntimeException $error) {
            $this->loudly('spool', $error->getMessage() . '; what is saved while teams-mirror does not answer will be missing '
                . 'in Teams until its next save');
            return null;
        }
    }

    /** Tells what this request changed, as it is stored now. What there is no time for is told later. */
    private function tellPending(): void
    {
        if ($this->spool->isDown()) {
            return;
        }
        [$notes, $this->pending] = [$this->pending, []];
        $until = microtime(true) + $this->settings['patience'];
        // What arrived is told before what left, so that a move never looks like an end.
        foreach (array_reverse($notes) as $note) {
            try {
                $this->settle($note, $until);
            } catch (Unanswered $error) {
                $this->unanswered($error);
                $this->pending[] = $note;
            }
        }
    }

    /** Tells what a note points at. Whether nothing of it is left. */
    private function settle(Note $note, float $until): bool
    {
        $looks = $note->looks;
        usort($looks, fn ($one, $other) => $this->isThere($other) <=> $this->isThere($one));
        while (($look = array_shift($looks)) !== null) {
            $this->look($look);
            if ($looks !== [] && microtime(true) > $until) {
                $note->keep($looks);
                return false;
            }
        }
        $note->done();
        return true;
    }

    /** @param array<string, string> $look */
    private function isThere(array $look): bool
    {
        $node = $this->node($look['object']);
        return $node instanceof ICalendarObject && Text::eventUid((string)$this->text($node)) === $look['uid'];
    }

    /** Tells what stands under a path now; an announced save is thereby overtaken. @param array<string, string> $look */
    private function look(array $look): void
    {
        $told = $this->tell($look['account'], $look['uid'], $look['object']);
        if (isset($look['change'])) {
            $this->hook->report($look['account'], $look['uid'], $look['change'], 'refused');
        }
        if ($told === null) {
            $this->hook->gone($look['account'], $look['uid'], $look['object']);
        }
    }

    /** Tells an object's text until it was the stored one. Gives the text that should be stored; `null`: it is gone. */
    private function tell(string $account, string $uid, string $object): ?string
    {
        $wanted = null;
        for ($round = 0; $round < self::ROUNDS; $round++) {
            $node = $this->node($object);
            $calendar = $this->parent($object);
            $text = $node instanceof ICalendarObject ? (string)$this->text($node) : '';
            if (!$calendar instanceof ICalendar || Text::eventUid($text) !== $uid) {
                return null;
            }
            $answer = $this->hook->tell($account, $uid, $text, $object, $this->calendar($object, $calendar));
            if (!$answer->isTaken()) {
                $this->loudly('refused', "`$object` is not mirrored: {$answer->sentence()}");
            }
            $wanted = $answer->isEvent() ? (string)$answer->field('icalendar') : $text;
            $now = $this->node($object);
            if ($now instanceof ICalendarObject && $this->text($now) === $text) {
                return $wanted;
            }
        }
        return $wanted;
    }

    // What is left when requests are over.

    /** The answer is on its way, or the process ends. */
    private function finish(): void
    {
        if ($this->finished) {
            return;
        }
        $this->finished = true;
        if ($this->save !== null) {
            // Nobody said what became of it.
            $this->spool->unlock($this->save->lock);
            $this->save = null;
        }
        foreach ($this->pending as $note) {
            $note->leave();
        }
        $this->pending = [];
        if ($this->settings['work_after_requests'] && $this->spool->isTimeToWork(self::WORK_EVERY)) {
            // The client has its answer, where PHP can let it go.
            if (function_exists('fastcgi_finish_request')) {
                fastcgi_finish_request();
            }
            $this->work(self::WORK_BRIEFLY);
        }
    }

    /**
     * Works notes off and writes late links back, in one process at a time.
     *
     * @return array<string, int|string>
     */
    private function work(float $seconds): array
    {
        $done = ['notes_told' => 0, 'links_written' => 0];
        $worker = $this->spool->worker();
        if ($worker === null) {
            return $done + ['busy' => 'another process is at it'];
        }
        $until = microtime(true) + $seconds;
        try {
            $this->hook->probe($this->settings['address'] ?? '{user}@invalid');
            $this->answers();
            foreach ($this->spool->waiting() as $name) {
                $note = microtime(true) < $until ? $this->spool->take($name) : null;
                if ($note !== null) {
                    try {
                        $done['notes_told'] += (int)$this->settle($note, $until);
                    } catch (Unanswered $error) {
                        if ($error->down) {
                            throw $error;
                        }
                        $this->unanswered($error);
                    } finally {
                        $note->leave();
                    }
                }
            }
            $done['links_written'] = $this->writeLinks($until);
        } catch (Unanswered $error) {
            $this->unanswered($error);
            $done['problem'] = $error->getMessage();
        } finally {
            $this->spool->unlock($worker);
        }
        return $done + ['notes_left' => count($this->spool->waiting())];
    }

    private function writeLinks(float $until): int
    {
        $written = 0;
        $after = $this->spool->cursor();
        do {
            $answer = $this->hook->changes($after);
            if (!$answer->isTaken()) {
                // The cursor is of another store.
                $this->spool->setCursor(null);
                return $written;
            }
            $changes = (array)$answer->field('changes');
            foreach ($changes as $change) {
                foreach ($change['objects'] ?? [] as $object) {
                    $written += (int)$this->writeLink($change, (string)$object);
                }
            }
            $after = (string)$answer->field('cursor');
            $this->spool->setCursor($after);
        } while ($changes !== [] && microtime(true) < $until);
        return $written;
    }

    /**
     * Stores a text with its link, unless the object changed meanwhile. It goes past sabre's events: nobody asked for this
     * save, and an invitation with nothing new but a link is one that sabre would not send either.
     *
     * @param array<string, mixed> $change
     */
    private function writeLink(array $change, string $object): bool
    {
        [$account, $uid] = [(string)$change['account'], (string)$change['uid']];
        $calendar = $this->parent($object);
        $owner = $calendar instanceof ICalendar ? $this->owner($calendar) : null;
        $node = $this->node($object);
        if ($owner === null || $this->account($owner) !== $account || !$node instanceof ICalendarObject) {
            return false;
        }
        $text = (string)$this->text($node);
        if (Text::eventUid($text) !== $uid) {
            return false;
        }
        $amended = $change['icalendar'] ?? null;
        if ($amended === null || hash('sha256', $text) !== ($change['replaces_sha256'] ?? '')) {
            $answer = $this->hook->tell($account, $uid, $text, $object, $this->calendar($object, $calendar));
            $amended = $answer->isEvent() ? $answer->field('icalendar') : null;
        }
        if (!is_string($amended) || $amended === $text || !$this->isReadable($amended)) {
            return false;
        }
        $lock = $this->spool->lock($object);
        try {
            $now = $this->node($object);
            if (!$now instanceof ICalendarObject || $this->text($now) !== $text) {
                // Somebody saved meanwhile, and that save has put the link in.
                return false;
            }
            $now->put($amended);
        } catch (\Throwable $error) {
            $this->loudly('link', "the link of `$object` could not be written back: {$error->getMessage()}");
            return false;
        } finally {
            $this->spool->unlock($lock);
        }
        $this->tell($account, $uid, $object);
        return true;
    }

    // The pages.

    /** Answers a request to one of our own paths. `false`: it is answered. */
    private function page(string $name, callable $answer): ?bool
    {
        $settings = trim((string)$this->settings['settings_path'], '/');
        $method = $name === '' ? 'GET' : 'POST';
        $wanted = trim("$settings/$name", '/');
        if ($settings === '' || $this->server->httpRequest->getMethod() !== $method) {
            return null;
        }
        try {
            if (trim($this->server->getRequestUri(), '/') !== $wanted) {
                return null;
            }
            [$status, $headers, $body] = $answer();
        } catch (Unanswered $error) {
            $this->unanswered($error);
            [$status, $headers, $body] = [503, ['Retry-After' => '30'], "Teams cannot be reached just now. Try again soon.\n"];
        } catch (\Throwable $error) {
            $this->loudly('page', $error->getMessage());
            [$status, $headers, $body] = [500, [], "Something went wrong; the server's log says what.\n"];
        }
        $headers += ['Content-Type' => 'text/plain; charset=utf-8', 'Cache-Control' => 'no-store'];
        $response = $this->server->httpResponse;
        if ($this->isOld()) {
            $response->sendStatus($status);
            $response->setHeaders($headers);
            $response->sendBody($body);
        } else {
            $response->setStatus($status);
            $response->setHeaders($headers);
            $response->setBody($body);
            $this->server->sapi->sendResponse($response);
        }
        return false;
    }

    /** Leads a user to their settings at teams-mirror. @return array{int, array<string, string>, string} */
    private function settingsPage(): array
    {
        $acl = $this->server->getPlugin('acl');
        $principal = $acl !== null ? $acl->getCurrentUserPrincipal() : null;
        $account = $principal === null ? null : $this->account($principal);
        if ($this->hook === null) {
            return [503, [], "Teams is not set up on this server.\n"];
        }
        if ($account === null) {
            return [403, [], "Teams is for users with a mail address; none is known of you here.\n"];
        }
        $node = $this->node($principal);
        $known = [
            'addresses' => array_values(array_diff($this->addresses($node), [$account])),
            'display_name' => $node instanceof IPrincipal ? $node->getDisplayName() : null,
            'time_zone' => $this->settings['time_zone'],
            'language' => $this->settings['language'] ?? $this->browserLanguage(),
        ];
        $this->hook->describe($account, array_filter($known, fn ($value) => $value !== null && $value !== ''));
        $answer = $this->hook->settingsLink($account);
        if ($answer->isTaken() && is_string($answer->field('url'))) {
            return [303, ['Location' => $answer->field('url')], ''];
        }
        return [403, [], $answer->sentence() . "\n"];
    }

    /** Works off what is left, for whoever knows the hook secret. @return array{int, array<string, string>, string} */
    private function workPage(): array
    {
        if ($this->hook === null) {
            return [503, [], "nothing is mirrored: {$this->problem}\n"];
        }
        // No `Authorization`: web servers keep that from PHP, and login plugins would read it.
        $given = (string)$this->server->httpRequest->getHeader('X-Teams-Mirror');
        if (!hash_equals($this->hook->secret(), $given)) {
            return [403, [], "the hook secret is needed here\n"];
        }
        $done = $this->work(self::WORK_LONG);
        $lines = array_map(fn ($name, $value) => "$name: $value\n", array_keys($done), $done);
        return [isset($done['problem']) ? 503 : 200, [], implode('', $lines)];
    }

    private function browserLanguage(): ?string
    {
        $accepted = (string)$this->server->httpRequest->getHeader('Accept-Language');
        return preg_match('/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*/', trim($accepted), $found) ? $found[0] : null;
    }

    // What sabre's tree tells.

    /** What stands under a path now, and not what was there when this request began. */
    private function node(string $path): mixed
    {
        $path = trim($path, '/');
        $this->server->tree->markDirty($path);
        try {
            return $this->server->tree->getNodeForPath($path);
        } catch (\Sabre\DAV\Exception $error) {
            return null;
        }
    }

    private function parent(string $path): mixed
    {
        $path = trim($path, '/');
        $at = strrpos($path, '/');
        try {
            return $at === false ? null : $this->server->tree->getNodeForPath(substr($path, 0, $at));
        } catch (\Sabre\DAV\Exception $error) {
            return null;
        }
    }

    private function text(ICalendarObject $node): ?string
    {
        try {
            $text = $node->get();
        } catch (\Sabre\DAV\Exception $error) {
            return null;
        }
        return is_resource($text) ? (string)stream_get_contents($text) : (string)$text;
    }

    /** Whose calendar it is: a delegate's save is the owner's event, and so is one by whom the calendar is shared with. */
    private function owner(mixed $calendar): ?string
    {
        if ($this->isShared($calendar) && is_callable([$calendar, 'getInvites'])) {
            foreach ($calendar->getInvites() as $sharee) {
                // Sabre\DAV\Sharing\Plugin::ACCESS_SHAREDOWNER
                if (is_object($sharee) && ($sharee->access ?? null) === 1 && !empty($sharee->principal)) {
                    return trim($sharee->principal, '/');
                }
            }
        }
        $owner = $calendar->getOwner();
        return $owner === null ? null : trim($owner, '/');
    }

    /** Whether this is how a calendar looks to somebody it is shared with. */
    private function isShared(mixed $calendar): bool
    {
        if (is_callable([$calendar, 'getPrincipalURI'])) {
            // Nextcloud, ownCloud: in whose calendars it is shown, and whose it is.
            return trim((string)$calendar->getPrincipalURI(), '/') !== trim((string)$calendar->getOwner(), '/');
        }
        // Sabre\DAV\Sharing\Plugin::ACCESS_READ, ACCESS_READWRITE
        return is_callable([$calendar, 'getShareAccess']) && in_array($calendar->getShareAccess(), [2, 3], true);
    }

    /** One name for an object, whoever saves it: the path by which its owner knows it. */
    private function canonical(string $path, ICalendar $calendar, string $owner): string
    {
        $path = trim($path, '/');
        $id = $this->isShared($calendar) ? $this->resource($calendar) : null;
        if ($id === null) {
            return $path;
        }
        $caldav = $this->server->getPlugin('caldav');
        $home = $caldav !== null && is_callable([$caldav, 'getCalendarHomeForPrincipal'])
            ? $caldav->getCalendarHomeForPrincipal($owner)
            : 'calendars/' . basename($owner);
        $node = $this->node((string)$home);
        foreach ($node instanceof ICollection ? $node->getChildren() : [] as $theirs) {
            if ($theirs instanceof ICalendar && !$this->isShared($theirs) && $this->resource($theirs) === $id) {
                return trim((string)$home, '/') . "/{$theirs->getName()}/" . basename($path);
            }
        }
        return $path;
    }

    /** What a calendar and its shares have in common. */
    private function resource(mixed $calendar): ?string
    {
        foreach (['getShareResourceUri', 'getResourceId'] as $method) {
            if (is_callable([$calendar, $method]) && (string)$calendar->$method() !== '') {
                return (string)$calendar->$method();
            }
        }
        return null;
    }

    /** A calendar as the hook is told of it. @return array<string, string> */
    private function calendar(string $object, ICalendar $calendar): array
    {
        $named = ['calendar' => substr($object, 0, (int)strrpos($object, '/'))];
        $name = method_exists($calendar, 'getProperties') ? $calendar->getProperties(['{DAV:}displayname']) : [];
        $name = trim((string)($name['{DAV:}displayname'] ?? ''));
        return $name === '' ? $named : $named + ['calendar_name' => $name];
    }

    /** The address of a principal; `null`: it has none, or is nobody. */
    private function account(string $principal): ?string
    {
        $template = $this->settings['address'];
        if ($template === null) {
            return $this->addresses($this->node($principal))[0] ?? null;
        }
        // Users, and not groups, rooms or resources.
        if (!preg_match('~^principals/(?:users/)?([^/]+)$~', trim($principal, '/'), $found)) {
            return null;
        }
        $address = str_replace('{user}', $found[1], $template);
        return str_contains($address, '@') ? mb_strtolower($address, 'UTF-8') : null;
    }

    /** @return string[] A principal's mail addresses, the first one first. */
    private function addresses(mixed $principal): array
    {
        $addresses = [];
        foreach ($principal instanceof IPrincipal ? $principal->getAlternateUriSet() : [] as $uri) {
            if (stripos($uri, 'mailto:') === 0 && str_contains($uri, '@')) {
                $addresses[] = mb_strtolower(substr($uri, 7), 'UTF-8');
            }
        }
        return array_values(array_unique($addresses));
    }

    /** The text as iCalendar in UTF-8, as sabre will read it; `null`: it is too large to be looked at, or nothing of the kind. */
    private function asICalendar(string $text): ?string
    {
        if (strlen($text) > Hook::LARGEST) {
            return null;
        }
        if (preg_match('/^\s*\[/', $text) && method_exists(Reader::class, 'readJson')) {
            // jCal (RFC 7265), which sabre stores as iCalendar.
            try {
                return Reader::readJson($text)->serialize();
            } catch (\Throwable $error) {
                return null;
            }
        }
        return preg_match('//u', $text) ? $text : mb_convert_encoding($text, 'UTF-8', 'ISO-8859-1');
    }

    /** Whether sabre will read it. */
    private function isReadable(string $text): bool
    {
        try {
            Reader::read($text);
            return true;
        } catch (\Throwable $error) {
            $this->loudly('unreadable', "sabre cannot read a text with its link: {$error->getMessage()}");
            return false;
        }
    }

    // What administrators are told.

    private function unanswered(Unanswered $error): void
    {
        if ($error->down && $this->spool->setDown()) {
            $this->log("{$error->getMessage()}. Saves go on without waiting for it, and are noted in `{$this->settings['spool']}`");
        } elseif (!$error->down) {
            $this->loudly('answer', "{$error->getMessage()}; it is told again");
        }
    }

    private function answers(): void
    {
        if ($this->spool->setUp()) {
            $this->log('teams-mirror answers again; notes to tell: ' . count($this->spool->waiting()));
        }
    }

    /** Logs, but not with every save. */
    private function loudly(string $about, string $sentence): void
    {
        if ($this->spool === null || $this->spool->maySay($about)) {
            $this->log($sentence);
        }
    }

    private function log(string $sentence): void
    {
        if (is_callable($this->settings['log'])) {
            ($this->settings['log'])("teams-mirror: $sentence");
        } else {
            error_log("teams-mirror: $sentence");
        }
    }
}

/** A save that was announced. */
final class Save
{
    /** What is to be reported once it is stored. */
    public string $result = 'stored';
    /** Whether the hook waits for a report. */
    public bool $recorded = false;
    /** Seconds that are left for the report. */
    public float $time = 1.0;
    /** @var resource|null */
    public $lock = null;

    public function __construct(
        public readonly string $path,
        public readonly string $account,
        public readonly string $uid,
        public readonly string $change,
        public readonly ?Note $note,
        /** The text that it replaces. */
        public readonly ?string $before,
        /** Whether there was another event under this path. */
        public readonly bool $overwrites
    ) {
    }
}

/**
 * A note on disk that says *where to look*, not what was done: whoever works it off tells what is stored then. So notes may be
 * worked off in any order and any number of times. While its request goes on it is locked, and the lock ends with the process.
 */
final class Note
{
    /**
     * @param resource $file
     * @param array<int, array<string, string>> $looks
     */
    public function __construct(
        private readonly Spool $spool,
        public readonly string $name,
        private $file,
        public array $looks
    ) {
    }

    /**
     * What stands under a path? `$change`: an announced save that may be open.
     *
     * @return array<string, string>
     */
    public static function look(string $account, string $uid, string $object, ?string $change = null): array
    {
        $look = ['account' => $account, 'uid' => $uid, 'object' => $object];
        return $change === null ? $look : $look + ['change' => $change];
    }

    /** The hook knows. */
    public function done(): void
    {
        if ($this->file !== null) {
            @unlink($this->spool->path($this->name));
            $this->release();
        }
    }

    /** The hook does not know yet. One note of the same is enough. */
    public function leave(): void
    {
        if ($this->file !== null && $this->spool->waitsAlready($this)) {
            $this->done();
        }
        $this->release();
    }

    /** Only these are left to tell. @param array<int, array<string, string>> $looks */
    public function keep(array $looks): void
    {
        $this->looks = $looks;
        // Telling one twice does no harm, so the file need not be replaced at once.
        rewind($this->file);
        ftruncate($this->file, 0);
        fwrite($this->file, json_encode($looks, JSON_THROW_ON_ERROR));
        fflush($this->file);
        $this->release();
    }

    public function release(): void
    {
        if ($this->file !== null) {
            fclose($this->file);
            $this->file = null;
        }
    }
}

/** The folder with the notes, and with what PHP's processes must know of each other. */
final class Spool
{
    /** For how long saves do not wait for a hook that did not answer, in seconds. */
    private const DOWN = 10;
    /** The same sentence is not logged more often, in seconds. */
    private const SAY_EVERY = 600;
    /** After this the late links are asked for from the beginning, in seconds. */
    private const ANEW = 24 * 3600;
    /** Files that keep saves and the writing of links apart. */
    private const LOCKS = 64;

    public function __construct(private readonly string $folder, private readonly int $limit)
    {
        if (!is_dir($folder) && !@mkdir($folder, 0700, true) && !is_dir($folder)) {
            throw new \InvalidArgumentException("the folder `$folder` (`spool`) cannot be made; make it, writable for PHP's user");
        }
        if (!is_writable($folder)) {
            throw new \InvalidArgumentException("the folder `$folder` (`spool`) is not writable for PHP's user");
        }
    }

    public function path(string $name): string
    {
        return "{$this->folder}/$name";
    }

    /** @param array<int, array<string, string>> $looks */
    public function note(array $looks): Note
    {
        $names = $this->waiting();
        $share = self::digest($looks[0]['account']);
        $theirs = count(array_filter($names, fn ($name) => (explode('-', $name)[1] ?? '') === $share));
        if ($theirs >= $this->limit - count($names)) {
            // So nobody takes the room of all.
            throw new \RuntimeException(count($names) . ' notes wait, and `spool_limit` allows no more');
        }
        // One without an open save may be merged with another that says the same.
        $merged = count($looks) === 1 && !isset($looks[0]['change']) ? self::digest(json_encode($looks[0])) : 'each';
        $name = sprintf('%017d-%s-%s-%s.json', microtime(true) * 1e6, $share, $merged, bin2hex(random_bytes(4)));
        $begun = $this->path(".begun-$name");
        $file = @fopen($begun, 'x+');
        if ($file === false) {
            throw new \RuntimeException("nothing can be noted in `{$this->folder}`");
        }
        flock($file, LOCK_EX);
        $text = json_encode($looks, JSON_INVALID_UTF8_SUBSTITUTE | JSON_THROW_ON_ERROR);
        $written = fwrite($file, $text) === strlen($text) && fflush($file) && fsync($file);
        if (!$written || !rename($begun, $this->path($name))) {
            @unlink($begun);
            throw new \RuntimeException("nothing can be noted in `{$this->folder}`");
        }
        return new Note($this, $name, $file, $looks);
    }

    /** @return string[] All notes, oldest first. */
    public function waiting(): array
    {
        $names = @scandir($this->folder) ?: [];
        return array_values(array_filter($names, fn ($name) => $name[0] !== '.' && str_ends_with($name, '.json')));
    }

    /** Takes a note that nobody holds. */
    public function take(string $name): ?Note
    {
        $file = @fopen($this->path($name), 'r+');
        if ($file === false) {
            return null;
        }
        if (!flock($file, LOCK_EX | LOCK_NB) || (fstat($file)['nlink'] ?? 0) === 0) {
            fclose($file);
            return null;
        }
        $looks = json_decode((string)stream_get_contents($file), true);
        if (!is_array($looks)) {
            // For a person to look at.
            rename($this->path($name), $this->path("$name.unreadable"));
            error_log("teams-mirror: the note `$name` cannot be read; it is kept as `$name.unreadable`");
            fclose($file);
            return null;
        }
        return new Note($this, $name, $file, $looks);
    }

    /** Whether another note says the same and nobody works on it yet. */
    public function waitsAlready(Note $note): bool
    {
        $merged = explode('-', $note->name)[2] ?? 'each';
        foreach ($merged === 'each' ? [] : $this->waiting() as $name) {
            if ($name !== $note->name && (explode('-', $name)[2] ?? '') === $merged) {
                $other = $this->take($name);
                $same = $other !== null && $other->looks === $note->looks;
                $other?->release();
                if ($same) {
                    return true;
                }
            }
        }
        return false;
    }

    /** One of so many places for a save that waits for a link. @return resource|null */
    public function slot(int $places)
    {
        for ($place = 0; $place < $places; $place++) {
            $slot = $this->locked("wait-$place");
            if ($slot !== null) {
                return $slot;
            }
        }
        return null;
    }

    /** Keeps others from an object, unless they take more than a second. @return resource|null */
    public function lock(string $object)
    {
        $name = 'object-' . crc32($object) % self::LOCKS;
        for ($try = 0; $try < 100; $try++) {
            $lock = $this->locked($name);
            if ($lock !== null) {
                return $lock;
            }
            usleep(10_000);
        }
        return null;
    }

    /** @return resource|null Held by the one process that works notes off. */
    public function worker()
    {
        return $this->locked('worker');
    }

    /** @param resource|null $lock */
    public function unlock($lock): void
    {
        if (is_resource($lock)) {
            fclose($lock);
        }
    }

    /** @return resource|null */
    private function locked(string $name)
    {
        $file = @fopen($this->path($name), 'c');
        if ($file !== false && flock($file, LOCK_EX | LOCK_NB)) {
            return $file;
        }
        $this->unlock($file ?: null);
        return null;
    }

    public function isDown(): bool
    {
        return $this->isFresh('down', self::DOWN);
    }

    /** Whether that is news. */
    public function setDown(): bool
    {
        $news = !file_exists($this->path('down'));
        @touch($this->path('down'));
        return $news;
    }

    /** Whether that is news. */
    public function setUp(): bool
    {
        if (!file_exists($this->path('down'))) {
            return false;
        }
        @unlink($this->path('worked'));
        return @unlink($this->path('down'));
    }

    /** Whether nobody has worked for so many seconds, and nobody will now but us. */
    public function isTimeToWork(int $every): bool
    {
        return !$this->isDown() && !$this->isFresh('worked', $every) && @touch($this->path('worked'));
    }

    public function maySay(string $about): bool
    {
        return !$this->isFresh("said-$about", self::SAY_EVERY) && @touch($this->path("said-$about"));
    }

    private function isFresh(string $name, int $seconds): bool
    {
        clearstatcache();
        $at = @filemtime($this->path($name));
        return $at !== false && abs(time() - $at) < $seconds;
    }

    /** Up to where late links were asked for. */
    public function cursor(): ?string
    {
        $known = json_decode((string)@file_get_contents($this->path('cursor')), true);
        return time() - ($known['begun'] ?? 0) < self::ANEW ? ($known['cursor'] ?? null) : null;
    }

    public function setCursor(?string $cursor): void
    {
        $known = json_decode((string)@file_get_contents($this->path('cursor')), true);
        $begun = $this->cursor() === null ? time() : $known['begun'];
        $text = json_encode(['cursor' => $cursor, 'begun' => $cursor === null ? 0 : $begun]);
        @file_put_contents($this->path('cursor'), $text, LOCK_EX);
    }

    private static function digest(string $text): string
    {
        return substr(hash('sha256', $text), 0, 16);
    }
}

/** The hook gave no answer that counts: nothing was told, and it has to be told later. The sentence says what to do. */
final class Unanswered extends \RuntimeException
{
    /** `$down`: whether the next call would fare no better. */
    public function __construct(string $sentence, public readonly bool $down = true)
    {
        parent::__construct($sentence);
    }
}

/** An answer that counts. */
final class Answer
{
    /** @param array<string, mixed> $body */
    public function __construct(public readonly int $status, private readonly array $body)
    {
    }

    public function field(string $name): mixed
    {
        return $this->body[$name] ?? null;
    }

    /** Whether it is no refusal. */
    public function isTaken(): bool
    {
        return $this->status >= 200 && $this->status < 300;
    }

    /** Whether it holds the text to store. */
    public function isEvent(): bool
    {
        return in_array($this->status, [200, 202], true) && is_string($this->field('icalendar'));
    }

    /** A refusal's reason. */
    public function sentence(): string
    {
        return $this->status . ' ' . ($this->field('detail') ?? $this->field('title') ?? '');
    }
}

/** The hook API under one address with one secret. Every call may be repeated. */
final class Hook
{
    /** The largest text it takes, in octets. */
    public const LARGEST = 8 * 1024 * 1024;
    /** Seconds for an answer for which nobody waits at Microsoft. */
    private const PROMPT = 5.0;
    /** Of the seconds that a save may wait, those that the answer needs to arrive. */
    private const MARGIN = 1;

    private ?\CurlHandle $curl = null;

    /** @param array<string, mixed> $settings */
    public function __construct(private readonly array $settings)
    {
        if (!function_exists('curl_init')) {
            throw new \InvalidArgumentException('PHP lacks its curl extension; on Debian: `apt install php-curl`');
        }
    }

    /**
     * First beat. `$link`: whether to wait for a new link.
     *
     * @param array<string, string> $calendar
     */
    public function announce(
        string $account,
        string $uid,
        string $text,
        string $object,
        array $calendar,
        string $change,
        bool $link
    ): Answer {
        $wait = $link ? (int)$this->settings['patience'] - self::MARGIN : 0;
        $prefer = $wait > 0 ? "wait=$wait" : 'respond-async';
        $query = ['object' => $object] + $calendar + ['change' => $change];
        return $this->call('PUT', self::event($account, $uid), $query, $text, $prefer, (float)$this->settings['patience']);
    }

    /** Second beat: `stored`, `stored-original` or `refused`. */
    public function report(string $account, string $uid, string $change, string $result, float $time = self::PROMPT): Answer
    {
        return $this->call('POST', self::event($account, $uid) . '/stored', [], compact('change', 'result'), null, $time);
    }

    /**
     * Both beats in one, after the store.
     *
     * @param array<string, string> $calendar
     */
    public function tell(string $account, string $uid, string $text, string $object, array $calendar): Answer
    {
        $query = ['object' => $object] + $calendar + ['stored' => 'true'];
        return $this->call('PUT', self::event($account, $uid), $query, $text, 'respond-async');
    }

    /** An object is gone. */
    public function gone(string $account, string $uid, string $object): Answer
    {
        return $this->call('DELETE', self::event($account, $uid), ['object' => $object]);
    }

    /** Texts to write back. */
    public function changes(?string $after): Answer
    {
        return $this->call('GET', '/v1/changes', $after === null || $after === '' ? [] : ['after' => $after]);
    }

    /** Whether somebody listens and lets us in; throws where not. */
    public function probe(string $template): void
    {
        $this->call('GET', self::account(str_replace('{user}', 'teams-mirror-check', $template)));
    }

    /** Tells of an account. What is absent is forgotten there. @param array<string, mixed> $known */
    public function describe(string $account, array $known): Answer
    {
        return $this->call('PUT', self::account($account), [], $known);
    }

    /** A one-time link to the user's settings. */
    public function settingsLink(string $account): Answer
    {
        return $this->call('POST', self::account($account) . '/settings-link');
    }

    /** The secret; read anew each time, so that a new one counts at once. */
    public function secret(): string
    {
        $file = $this->settings['secret_file'];
        $secret = trim((string)@file_get_contents($file));
        if ($secret === '' || preg_match('/[^!-~]/', $secret)) {
            throw new Unanswered("`$file` holds no hook secret that PHP's user can read; put there what `teams-mirror secret add "
                . 'NAME --domain …` prints');
        }
        return $secret;
    }

    /** @param array<string, string> $query */
    private function call(
        string $method,
        string $path,
        array $query = [],
        string|array|null $body = null,
        ?string $prefer = null,
        float $time = self::PROMPT
    ): Answer {
        $headers = ["Authorization: Bearer {$this->secret()}", 'Accept: application/json', 'Expect:'];
        if (is_string($body)) {
            $headers[] = 'Content-Type: text/calendar; charset=utf-8';
        } elseif ($body !== null) {
            $headers[] = 'Content-Type: application/json';
            // An empty list is an empty object here.
            $body = json_encode((object)$body, JSON_INVALID_UTF8_SUBSTITUTE | JSON_THROW_ON_ERROR);
        }
        if ($prefer !== null) {
            $headers[] = "Prefer: $prefer";
        }
        $address = $this->settings['hook'];
        $socket = str_starts_with($address, 'unix:') ? substr($address, 5) : null;
        $query = http_build_query($query, '', '&', PHP_QUERY_RFC3986);
        $url = ($socket === null ? rtrim($address, '/') : 'http://localhost') . $path . ($query === '' ? '' : "?$query");
        $this->curl ??= curl_init();
        curl_reset($this->curl);
        curl_setopt_array($this->curl, [
            CURLOPT_URL => $url,
            CURLOPT_CUSTOMREQUEST => $method,
            CURLOPT_HTTPHEADER => $headers,
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_CONNECTTIMEOUT_MS => (int)min(2000, $time * 1000),
            CURLOPT_TIMEOUT_MS => (int)max(1, $time * 1000),
            CURLOPT_NOSIGNAL => true,
            // A UID of dots is a UID, and the environment's proxy is for others.
            CURLOPT_PATH_AS_IS => true,
            CURLOPT_PROXY => '',
        ]);
        if ($socket !== null) {
            curl_setopt($this->curl, CURLOPT_UNIX_SOCKET_PATH, $socket);
        }
        if ($this->settings['ca_file'] !== null) {
            curl_setopt($this->curl, CURLOPT_CAINFO, $this->settings['ca_file']);
        }
        if ($body !== null || $method === 'POST') {
            curl_setopt($this->curl, CURLOPT_POSTFIELDS, $body ?? '');
        }
        $read = curl_exec($this->curl);
        if ($read === false) {
            throw new Unanswered(sprintf(
                '`%s` cannot be reached: %s; see whether teams-mirror runs and `hook` is its address',
                $address,
                curl_error($this->curl)
            ));
        }
        return self::counted((int)curl_getinfo($this->curl, CURLINFO_RESPONSE_CODE), (string)$read);
    }

    /** An answer, unless it says that nothing was taken and may be later. */
    private static function counted(int $status, string $read): Answer
    {
        $body = json_decode($read, true);
        $answer = new Answer($status, is_array($body) ? $body : []);
        if ($status === 401) {
            throw new Unanswered('the hook secret is wrong (401); put what `teams-mirror secret add NAME --domain …` prints into '
                . 'the file named as `secret_file`');
        }
        if ($status >= 500 || in_array($status, [408, 429], true) || ($status >= 300 && $status < 400)) {
            throw new Unanswered("the hook answers {$answer->sentence()}", false);
        }
        if ($answer->field('code') === 'no-such-route' || ($status === 404 && !is_array($body))) {
            throw new Unanswered('there is no hook API under this address (404); `hook` names the listener `listen.hook` of '
                . "teams-mirror's configuration, without a path");
        }
        if (!is_array($body) && in_array($status, [200, 202], true)) {
            throw new Unanswered("the hook's answer is no JSON ($status)", false);
        }
        return $answer;
    }

    private static function account(string $account): string
    {
        return '/v1/accounts/' . rawurlencode($account);
    }

    private static function event(string $account, string $uid): string
    {
        return self::account($account) . '/events/' . rawurlencode($uid);
    }
}

/** Finds out what a calendar text is about: no more than whether it is one event, and under which UID. */
final class Text
{
    /**
     * The UID of the one event, with all its exceptions, that the text holds: unfolded, its escapes undone (RFC 5545 §3.3.11).
     * `null` where it holds none, several, anything beside it but time zones, or a scheduling message (METHOD).
     */
    public static function eventUid(string $text): ?string
    {
        $uids = [];
        $inside = [];
        $calendars = 0;
        $hasUid = false;
        $lines = preg_split('/\r?\n/', (string)preg_replace('/\r?\n[ \t]/', '', $text));
        foreach ($lines as $line) {
            // A parameter's value may hold a colon in quotes.
            if (!preg_match('/^(BEGIN|END|UID|METHOD)((?:;(?:[^":]|"[^"]*")*)?):(.*)$/is', $line, $found)) {
                continue;
            }
            [$name, $value] = [strtoupper($found[1]), $found[3]];
            $component = strtoupper(trim($value));
            if ($name === 'BEGIN') {
                $other = $inside === [] ? $component !== 'VCALENDAR' || $calendars++ > 0 : $inside === ['VCALENDAR']
                    && in_array($component, ['VTODO', 'VJOURNAL', 'VFREEBUSY'], true);
                if ($other) {
                    return null;
                }
                $inside[] = $component;
                $hasUid = $hasUid && $inside !== ['VCALENDAR', 'VEVENT'];
            } elseif ($name === 'END') {
                $withoutUid = $inside === ['VCALENDAR', 'VEVENT'] && !$hasUid;
                if ($withoutUid || array_pop($inside) !== $component) {
                    return null;
                }
            } elseif ($name === 'METHOD' && $inside === ['VCALENDAR']) {
                return null;
            } elseif ($name === 'UID' && $inside === ['VCALENDAR', 'VEVENT']) {
                $hasUid = true;
                $uids[] = preg_replace_callback(
                    '/\\\\([\\\\;,nN])/',
                    fn ($escape) => strtolower($escape[1]) === 'n' ? "\n" : $escape[1],
                    $value
                );
            }
        }
        $uid = $uids[0] ?? '';
        return $inside === [] && count(array_unique($uids)) === 1 && $uid !== '' && strlen($uid) <= 1024 ? $uid : null;
    }
}

/** What an administrator sets. */
final class Settings
{
    public const DEFAULTS = [
        'hook' => 'http://127.0.0.1:7460',
        'secret_file' => null,
        'ca_file' => null,
        'spool' => null,
        'spool_limit' => 10_000,
        'address' => null,
        'patience' => 5,
        'max_waiting' => 4,
        'settings_path' => '.teams',
        'work_after_requests' => true,
        'time_zone' => null,
        'language' => null,
        'log' => null,
    ];

    /**
     * @param array<string, mixed> $given
     * @return array<string, mixed>
     */
    public static function checked(array $given): array
    {
        foreach (array_keys(array_diff_key($given, self::DEFAULTS)) as $unknown) {
            $names = array_keys(self::DEFAULTS);
            usort($names, fn ($one, $other) => levenshtein((string)$unknown, $one) <=> levenshtein((string)$unknown, $other));
            throw new \InvalidArgumentException("there is no setting `$unknown`; the nearest is `$names[0]`");
        }
        $settings = array_replace(self::DEFAULTS, $given);
        foreach (['secret_file', 'spool'] as $needed) {
            if (!is_string($settings[$needed]) || $settings[$needed] === '') {
                throw new \InvalidArgumentException("the setting `$needed` is missing");
            }
        }
        if (!preg_match('~^(unix:/|https?://)~', (string)$settings['hook'])) {
            throw new \InvalidArgumentException(
                '`hook` is `http://` and a loopback address, `https://…`, or `unix:/` and the path of a socket'
            );
        }
        if (!is_int($settings['patience']) || $settings['patience'] < 1 || $settings['patience'] > 30) {
            throw new \InvalidArgumentException('`patience` is a whole number of seconds, 1 to 30');
        }
        if ($settings['address'] !== null && !str_contains((string)$settings['address'], '{user}')) {
            throw new \InvalidArgumentException('`address` is absent, or holds `{user}`, as in `{user}@example.org`');
        }
        return $settings;
    }
}

/** `php TeamsMirrorPlugin.php --work URL --secret-file FILE`, for cron. */
final class Command
{
    private const USAGE = <<<'END'
        usage: php TeamsMirrorPlugin.php --work URL --secret-file FILE [--ca-file FILE]

        Has the server with this plugin tell what teams-mirror could not be told, and write late links into events.
        URL is that of the settings page, such as https://dav.example.org/dav.php/.teams
        FILE holds the hook secret. Prints what was done; the status is 0 where teams-mirror answers.

        END;

    /** @param string[] $arguments */
    public static function run(array $arguments): int
    {
        $given = [];
        while (($name = array_shift($arguments)) !== null) {
            if (!in_array($name, ['--work', '--secret-file', '--ca-file'], true) || $arguments === []) {
                fwrite($name === '--help' ? STDOUT : STDERR, self::USAGE);
                return $name === '--help' ? 0 : 2;
            }
            $given[$name] = array_shift($arguments);
        }
        if (!isset($given['--work'], $given['--secret-file'])) {
            fwrite(STDERR, self::USAGE);
            return 2;
        }
        $secret = trim((string)@file_get_contents($given['--secret-file']));
        if ($secret === '') {
            fwrite(STDERR, "error: the hook secret `{$given['--secret-file']}` cannot be read\n");
            return 1;
        }
        $curl = curl_init(rtrim($given['--work'], '/') . '/work');
        curl_setopt_array($curl, [
            CURLOPT_POSTFIELDS => '',
            CURLOPT_HTTPHEADER => ["X-Teams-Mirror: $secret"],
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_TIMEOUT => 120,
            CURLOPT_PROXY => '',
        ] + (isset($given['--ca-file']) ? [CURLOPT_CAINFO => $given['--ca-file']] : []));
        $answer = curl_exec($curl);
        $status = (int)curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
        if ($status === 200) {
            echo $answer;
            return 0;
        }
        fwrite(STDERR, $answer === false
            ? 'error: the server cannot be reached: ' . curl_error($curl) . "\n"
            : "error: the server answers $status\n$answer");
        return 1;
    }
}
