<?php

declare(strict_types=1);

namespace Sabre\Event {
    /** By which the plugin knows sabre/dav 4. */
    trait WildcardEmitterTrait
    {
    }
}

namespace {
    use Sabre\DAV;
    use Sabre\HTTP;
    use Sabre\VObject\Reader;

    /**
     * sabre/dav 1.8 as a plugin meets sabre/dav 4: its way to subscribe, what its events carry, its response, its rule about
     * ETags, its calendar texts written anew where they were modified. Storage, rights and everything else are 1.8's. This stands
     * in for what no package has, and proves no more than that the plugin holds to that part of 4's interface.
     */
    final class ModernServer extends DAV\Server
    {
        /** @var object Sends responses. */
        public object $sapi;

        public function __construct(array $nodes)
        {
            parent::__construct($nodes);
            $this->httpResponse = new ModernResponse();
            $this->sapi = new class {
                public function sendResponse(ModernResponse $response): void
                {
                    $response->send();
                }
            };
        }

        public function on(string $event, callable $listener, int $priority = 100): void
        {
            if ($event === 'beforeMethod:*') {
                $told = fn () => $listener($this->httpRequest, $this->httpResponse);
                $this->subscribeEvent('beforeMethod', $told, $priority);
                return;
            }
            $this->subscribeEvent($event, $listener, $priority);
        }

        public function exec(): void
        {
            parent::exec();
            $this->broadcastEvent('afterResponse', [$this->httpRequest, $this->httpResponse]);
        }

        public function createFile($uri, $data, &$etag = null)
        {
            [$dir, $name] = DAV\URLUtil::splitPath($uri);
            if (!$this->broadcastEvent('beforeBind', [$uri])) {
                return false;
            }
            $parent = $this->tree->getNodeForPath($dir);
            $modified = false;
            if (!$this->broadcastEvent('beforeCreateFile', [$uri, &$data, $parent, &$modified])) {
                return false;
            }
            $etag = $parent->createFile($name, $modified ? Reader::read($data)->serialize() : $data);
            $etag = $modified ? null : $etag;
            $this->tree->markDirty("$dir/$name");
            $this->broadcastEvent('afterBind', [$uri]);
            $this->broadcastEvent('afterCreateFile', [$uri, $parent]);
            return true;
        }

        protected function httpPut($uri)
        {
            if (!$this->checkPreconditions()) {
                return;
            }
            $data = $this->httpRequest->getBody();
            $isThere = $this->tree->nodeExists($uri);
            if ($isThere) {
                $node = $this->tree->getNodeForPath($uri);
                $modified = false;
                if (!$this->broadcastEvent('beforeWriteContent', [$uri, $node, &$data, &$modified])) {
                    return;
                }
                $etag = $node->put($modified ? Reader::read($data)->serialize() : $data);
                $etag = $modified ? null : $etag;
                $this->broadcastEvent('afterWriteContent', [$uri, $node]);
            } elseif (!$this->createFile($uri, $data, $etag)) {
                return;
            }
            $this->httpResponse->setHeader('Content-Length', '0');
            if ($etag) {
                $this->httpResponse->setHeader('ETag', $etag);
            }
            $this->httpResponse->sendStatus($isThere ? 204 : 201);
        }
    }

    final class ModernResponse extends HTTP\Response
    {
        private int $status = 200;
        private string $body = '';

        public function setStatus(int $status): void
        {
            $this->status = $status;
        }

        public function setBody(string $body): void
        {
            $this->body = $body;
        }

        public function send(): void
        {
            $this->sendStatus($this->status);
            $this->sendBody($this->body);
        }
    }
}
