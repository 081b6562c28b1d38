// Faults stop: everything has to end, and memory, rows, journal and what was seen from outside to agree.
#include "tests/sim/world.h"

namespace pqd::sim {
namespace {

constexpr int kRoundsMax = 4'000;  // in which not one job ends, and nobody who watches is told anything

}  // namespace

void World::let_everything_end() {
  nature_.fault_per_mille = 0;
  engine_->set_intake(Error::kOk);
  for (Client& client : clients_) client.stalled_until = 0;
  std::map<std::string, check::ScheduleStand> schedules;
  for (const auto& [name, schedule] : around_.model.schedules())
    schedules[name] = {schedule.last, schedule.due};
  history_.schedules_listed(std::move(schedules));
  bool over = false;
  size_t waiting = 0;  // clients
  const auto done = [this] { return around_.model.finished().size() + around_.figures.events; };
  uint64_t before = done();
  for (int round = 0; round < kRoundsMax && !over; ++round) {
    final_round();
    if (done() > before) round = 0;
    before = done();
    waiting = 0;
    for (Client& client : clients_) waiting += client.waiting() > 0 || !client.connected() ? 1u : 0u;
    over = waiting == 0 && around_.model.live().empty() && around_.model.schedules().empty() &&
           engine_->idle() && engine_->all_told();
  }
  require(over, "faults have stopped, and ", around_.model.live().size(), " jobs do not end, ",
          around_.model.schedules().size(), " schedules do not go, ", waiting, " clients wait for an answer",
          engine_->idle() && engine_->all_told() ? "" : ", and the engine has something to say");
  engine_->demand_same_everywhere();
  demand_rules();
}

// Everybody is back, takes every type, and completes what it gets.
void World::final_round() {
  for (Client& client : clients_) {
    if (client.away()) client.connect(around_.supervisor);
    client.look(now_ns_);
    if (!client.connected()) continue;
    if (client.uid() == options_.access.daemon_uid && random_.chance(1, 8)) {
      for (const auto& [queue, entry] : around_.model.queues())
        if (client.room(kControlLane, 1)) client.control(write_queue_control(QueueAction::kResume, queue));
      for (const auto& [name, schedule] : around_.model.schedules())
        if (client.room(kControlLane, 1)) client.remove_schedule(name);
    }
    if (around_.model.live().empty()) continue;
    uint32_t number = 10;
    for (const auto& [queue, entry] : around_.model.queues())
      if (++number; random_.chance(1, nature_.crowd ? 1'000 : 8) && client.room(kControlLane, 1))
        client.control(write_subscribe({number, nature_.crowd ? 100u : 4u, queue, {}}));
    for (const InHand& job : std::exchange(client.in_hand(), {}))
      if (client.room(kControlLane, 1)) client.settle(job, RecordKind::kComplete, {}, 0);
  }
  engine_->turn(now_ns_, random_, 64);
  engine_->hand();
  while (engine_->write_one()) {
  }
  engine_->sync();
  engine_->publish();
  if (random_.chance(1, 20)) engine_->checkpoint(random_);
  for (Client& client : clients_) client.look(now_ns_);
  const auto due = around_.model.next_due();
  now_ns_ += static_cast<TimeNs>(random_.below(nature_.crowd ? 2'000 : 20)) * kMillisecondNs;
  if (due && random_.chance(2, 3)) now_ns_ = std::max(now_ns_, *due);
}

void World::demand_rules() {
  for (const auto& [id, job] : around_.model.finished()) {
    const auto row = engine_->find_row(id);
    require(row.has_value(), "job ", id, " is lost");
    const auto submit = read_submit_record(row->record);
    history_.ended(
        id, {row->core.state, row->core.attempts, row->core.max_attempts, row->history.size(),
             row->core.failures, row->core.deaths, std::string(as_text(submit->payload)), row->core.purged});
  }
  const std::vector<std::string> broken = check::broken_rules(history_);
  require(broken.empty(), broken.empty() ? "" : broken.front());
}

}  // namespace pqd::sim
