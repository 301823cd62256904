<?php

/*
 * A CalDAV server as an administrator would write one with sabre/dav: principals, calendars and users in SQLite, Basic
 * authentication, rights, delegation by calendar-proxy. It is the router of PHP's built-in web server.
 *
 * In the folder named by SABRE_DIR: `plugin.json`, the settings of the plugin; `mails/`, what would have been sent.
 */

declare(strict_types=1);

use Sabre\CalDAV;
use Sabre\DAV;
use Sabre\DAVACL;

// sabre/dav 1.8 is older than this PHP, and says so.
error_reporting(E_ALL & ~E_DEPRECATED);
ini_set('display_errors', '0');

require 'Sabre/autoload.php';
require __DIR__ . '/SchedulingStandIn.php';
require __DIR__ . '/ModernServer.php';
require __DIR__ . '/Sharing.php';
require getenv('TEAMS_MIRROR_PLUGIN');

final class PlainPasswords extends DAV\Auth\Backend\AbstractBasic
{
    protected function validateUserPass($username, $password): bool
    {
        return in_array($username, ['alice', 'bob', 'secretary'], true) && $password === 'pw';
    }
}

$dir = getenv('SABRE_DIR');
$pdo = new PDO("sqlite:$dir/sabre.sqlite", null, null, [PDO::ATTR_TIMEOUT => 10]);
$pdo->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);

$principals = new DAVACL\PrincipalBackend\PDO($pdo);
$calendars = new CalDAV\Backend\PDO($pdo);
$modern = getenv('SABRE_MODERN') === '1';
SharingRoot::$kind = $modern ? SharedAsSabre4::class : SharedAsNextcloud::class;
$nodes = [
    new CalDAV\Principal\Collection($principals),
    new SharingRoot($principals, $calendars),
];
$server = $modern ? new ModernServer($nodes) : new DAV\Server($nodes);
$server->setBaseUri('/');
$server->addPlugin(new DAV\Auth\Plugin(new PlainPasswords(), 'sabre'));
$server->addPlugin(new DAVACL\Plugin());
$server->addPlugin(new CalDAV\Plugin());
$server->addPlugin(new SchedulingStandIn("$dir/mails"));
if (is_file("$dir/plugin.json")) {
    $settings = json_decode(file_get_contents("$dir/plugin.json"), true);
    $settings['log'] = fn (string $sentence) => file_put_contents("$dir/log", "$sentence\n", FILE_APPEND | LOCK_EX);
    $server->addPlugin(new TeamsMirror\TeamsMirrorPlugin($settings));
}
if (is_file("$dir/refuse")) {
    // Somebody after us says no: a quota, a rule, a backend that is down.
    $refuse = fn () => throw new DAV\Exception\Forbidden('refused by the test');
    $server->subscribeEvent('beforeCreateFile', $refuse, 200);
    $server->subscribeEvent('beforeWriteContent', $refuse, 200);
}
if (is_file("$dir/die")) {
    // PHP dies right after the store.
    $die = fn () => posix_kill(getmypid(), SIGKILL);
    $server->subscribeEvent('afterCreateFile', $die, 1);
}
$server->exec();
