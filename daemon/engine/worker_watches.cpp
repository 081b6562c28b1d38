// The worker's watches: sessions that are told what changes. Changes are noted for the commits only while
// there is one.
#include "daemon/engine/answer_writer.h"
#include "daemon/engine/worker.h"

namespace pqd {

size_t Worker::count_watches() const {
  size_t count = 0;
  for (SessionPort* port : parts_.ports.all()) count += port->outbox().watches().count();
  return count;
}

size_t Worker::count_watches(uint32_t uid) const {
  size_t count = 0;
  for (SessionPort* port : parts_.ports.all())
    if (port->grant().uid == uid) count += port->outbox().watches().count();
  return count;
}

void Worker::begin_watch(SessionPort& port, ByteView record) {
  const auto view = read_watch(record);
  if (!view) {
    WatchHead head;
    std::memcpy(&head, record.data(), std::min(record.size(), sizeof head));
    return end_answer(port, head.request, view.error());
  }
  const uint64_t request = view->head.request;
  if (count_watches(port.grant().uid) >= limits::kWatchesPerUserMax)
    return end_answer(port, request, Error::kUnavailable,
                      "this user has 32 watches over all its sessions, the most one may have; end one");
  if (count_watches() >= limits::kWatchesMax)
    return end_answer(port, request, Error::kUnavailable, "as many watches as may be are there; end one");
  const Error begun = port.outbox().watches().begin(*view, asker_of(port), parts_.broker.changes(),
                                                    parts_.commits.progress().done, parts_.state.tables);
  if (begun != Error::kOk)
    return end_answer(port, request, begun, "this session has as many watches as it may have; end one");
  parts_.broker.changes().set_watched(true);
  port.questions().end();
}

void Worker::end_watch(SessionPort& port, ByteView record) {
  const auto unwatch = read_unwatch(record);
  if (unwatch) port.outbox().watches().end(unwatch->request);
}

}  // namespace pqd
