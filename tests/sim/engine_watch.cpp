// The engine's watches, as daemon/engine's worker has them, each with a judge beside it.
#include "tests/sim/canary.h"
#include "tests/sim/engine.h"

namespace pqd::sim {

void Engine::answer_questions() {
  for (const auto& [session, record] : std::exchange(questions_, {})) {
    const auto port = ports_.find(session);
    if (port == ports_.end()) continue;
    if (const auto unwatch = read_unwatch(record)) {
      port->second.watches.end(unwatch->request);
      port->second.judges.erase(unwatch->request);
    } else {
      begin_watch(session, record);
    }
  }
}

size_t Engine::count_watches() const {
  size_t count = 0;
  for (const auto& [number, port] : ports_) count += port.watches.count();
  return count;
}

size_t Engine::count_watches(uint32_t uid) const {
  size_t count = 0;
  for (const auto& [number, port] : ports_)
    if (state_->tables.uid_of(number) == uid) count += port.watches.count();
  return count;
}

void Engine::begin_watch(SessionNo session, ByteView record) {
  Port& port = ports_.at(session);
  const auto view = read_watch(record);
  require(view.has_value(), "session ", session, ": the record of a watch cannot be read");
  auto& answers = around_.supervisor.sessions.at(session).events;
  const uint32_t uid = state_->tables.session(session)->uid;
  if (count_watches() >= limits::kWatchesMax || count_watches(uid) >= limits::kWatchesPerUserMax)
    return answers.push_back({view->head.request, {}, true});
  const Asker asker{session, uid, broker_->rights(session).operates()};
  const uint64_t done = progress().done;
  const bool many = port.watches.count() >= limits::kWatchesPerSessionMax;
  const Error begun = port.watches.begin(*view, asker, broker_->changes(), done, state_->tables);
  require((begun == Error::kOk) != many, "session ", session, ": its watch is answered with ",
          error_name(begun));
  if (begun != Error::kOk)
    answers.push_back({view->head.request, {}, true});
  else
    port.judges.emplace(view->head.request, WatchJudge(*view, {session, uid, around_.model.operates(session)},
                                                       stream_, done, around_.watch_line, *state_));
}

void Engine::tell_watches(Port& port, SessionMemory& memory, uint64_t done) {
  memory.engine_epoch = epoch_;
  if (planted("event-before-commit")) done = handed_to_;
  const auto room = [&] { return memory.events.size() < around_.event_slots; };
  port.watches.tell(
      done, state_->tables,
      [&](uint64_t request, const JobEvent& event) {
        if (!room()) return false;
        const uint64_t commit = port.judges.at(request).told(event, *state_);
        around_.supervisor.told_commit = std::max(around_.supervisor.told_commit, commit);
        memory.events.push_back({request, event, false});
        ++around_.figures.events;
        return true;
      },
      [&](uint64_t request) {
        if (!room()) return false;
        port.judges.at(request).ended();
        port.judges.erase(request);
        memory.events.push_back({request, {}, true});
        return true;
      });
}

bool Engine::all_told() const {
  for (const auto& [number, port] : ports_) {
    if (!port.watches.idle()) return false;
    for (const auto& [request, judge] : port.judges) judge.demand_all_told();
  }
  return true;
}

}  // namespace pqd::sim
