// What goes wrong in a world.
#include "tests/sim/world.h"

namespace pqd::sim {

void World::fault() {
  const uint64_t choice = random_.below(100);
  if (nature_.bad_power && random_.chance(3, 4)) return cut_power();
  if (choice < 45) return crash_engine();
  if (choice < 62) return crash_supervisor();
  if (choice < 92) return cut_power();
  // A configuration was changed, which takes a restart.
  options_ = broker_options();
  crash_engine();
}

void World::start_engine() {
  // Several in a row, some before they have served anybody.
  do {
    engine_ = std::make_unique<Engine>(around_, options_, now_ns_);
    if (random_.chance(1, 4)) engine_->write_one();
    if (random_.chance(1, 8)) engine_->sync();
    if (nature_.fault_per_mille == 0 || !random_.chance(1, 6)) return;
    ++figures_.engine_crashes;
    history_.engine_died();
    around_.trace.say(now_ns_, "the engine dies as it starts");
    if (random_.chance(1, 3)) {
      around_.store.cut_power(random_);
      around_.supervisor.told_commit = 0;
      history_.power_was_cut();
    }
  } while (true);
}

// The process dies: what the committer had not written is gone, sessions live on in the supervisor.
void World::crash_engine() {
  ++figures_.engine_crashes;
  history_.engine_died();
  around_.trace.say(now_ns_, "the engine dies at commit ", around_.store.written());
  if (random_.chance(1, 2)) {
    // In the middle of telling its clients.
    engine_->turn(now_ns_, random_, nature_.greed);
    engine_->hand();
    while (engine_->write_one() && !random_.chance(1, 4)) {
    }
    engine_->publish(random_.below(2 * clients_.size() + 2));
  }
  if (random_.chance(1, 4)) engine_->begin_checkpoint(random_);
  engine_.reset();
  std::erase_if(around_.supervisor.sessions, [](const auto& entry) { return entry.second.gone; });
  if (random_.chance(1, 3)) pass_time();
  start_engine();
}

// It takes the engine along, and everybody's memory. Clients come back by themselves.
void World::crash_supervisor() {
  ++figures_.supervisor_crashes;
  history_.engine_died();
  around_.trace.say(now_ns_, "the supervisor dies at commit ", around_.store.written());
  engine_.reset();
  for (Client& client : clients_) {
    // What was published may still be read.
    if (random_.chance(1, 2)) client.look(now_ns_);
    client.lost();
  }
  around_.supervisor.sessions.clear();
  around_.supervisor.first_session = around_.supervisor.next_session;
  start_engine();
}

// Nothing lives on but what was synced, and some of the rest.
void World::cut_power() {
  ++figures_.power_cuts;
  history_.engine_died();
  if (random_.chance(1, 4)) engine_->begin_checkpoint(random_);
  engine_.reset();
  for (Client& client : clients_) client.die();
  around_.supervisor.sessions.clear();
  around_.supervisor.first_session = around_.supervisor.next_session;
  around_.supervisor.told_commit = 0;
  around_.store.cut_power(random_);
  history_.power_was_cut();
  around_.trace.say(now_ns_, "power is cut; commit ", around_.store.written(), " is left");
  start_engine();
}

}  // namespace pqd::sim
