// What programs do.
#include "tests/sim/world.h"

namespace pqd::sim {

void World::act(Client& client) {
  if (client.stalled_until > now_ns_) return;
  if (client.away()) {
    if (random_.chance(1, 2)) client.connect(around_.supervisor);
    return;
  }
  if (!client.connected()) return;
  const uint64_t choice = random_.below(1000);
  if (choice < 8) {
    around_.trace.say(now_ns_, "client ", client.name(), " dies");
    return client.die();
  }
  if (choice < 14) {
    client.stalled_until = now_ns_ + static_cast<TimeNs>(random_.below(100'000)) * kMillisecondNs;
    around_.trace.say(now_ns_, "client ", client.name(), " stalls");
    return;
  }
  if (choice < 18) {
    // The connection ends under it: it comes back and proves who it was, while the old session closes.
    client.session()->gone = true;
    return client.lost();
  }
  if (!client.subscribed && random_.chance(1, 4)) return subscribe(client, false);
  const bool sets_schedules = !nature_.schedules.empty() && client.uid() == options_.access.daemon_uid;
  if (sets_schedules && random_.chance(1, 10)) return schedule(client);
  if (nature_.watchers && random_.chance(1, 20)) return watch(client);
  if (choice < 420) return submit(client);
  if (choice < 850) return settle(client);
  if (choice < 880) return settle_late(client);
  if (choice < 900) return subscribe(client, false);
  return command(client);
}

Wish World::random_wish() {
  Wish wish;
  wish.queue = random_.pick(nature_.queues);
  wish.type = random_.pick(nature_.types);
  wish.payload = "p" + std::to_string(random_.next() % 100'000) + std::string(random_.below(40), 'x');
  const uint8_t priorities[] = {1, 4, 5, 5, 5, 9, 10, 20};
  wish.priority = random_.pick(priorities);
  if (random_.chance(1, 3)) wish.mode = Mode::kFifo;
  if (nature_.batches && random_.chance(1, 2)) wish.mode = Mode::kBatch;
  if (random_.chance(nature_.careful ? 3 : 1, 4)) wish.delivery = Delivery::kAtMostOnce;
  if (random_.chance(1, 4)) wish.durability = Durability::kOs;
  if (!nature_.keys.empty() && random_.chance(1, 3)) wish.ordering_key = random_.pick(nature_.keys);
  if (random_.chance(1, 4)) wish.max_attempts = static_cast<uint16_t>(random_.between(1, 5));
  if (random_.chance(1, 5))
    wish.not_before_ms = now_ns_ / kMillisecondNs + static_cast<int64_t>(random_.below(8'000));
  if (random_.chance(1, 100))
    wish.not_before_ms = now_ns_ / kMillisecondNs + 86'400'000 * static_cast<int64_t>(random_.below(900));
  if (random_.chance(1, 4)) wish.queue_timeout_ms = static_cast<uint32_t>(random_.below(4) * 1'000);
  if (random_.chance(1, 6)) wish.processing_timeout_ms = static_cast<uint32_t>(random_.below(3) * 900);
  if (random_.chance(1, 6)) wish.backoff_first_ms = static_cast<uint32_t>(random_.below(5'000));
  if (random_.chance(1, 8)) wish.backoff_cap_ms = static_cast<uint32_t>(random_.below(3'000));
  if (random_.chance(1, 4)) wish.flags |= kFlagBackoffJitter;
  if (!nature_.subjects.empty() && random_.chance(1, 8)) wish.subject = random_.pick(nature_.subjects);
  if (!nature_.idempotency_keys.empty() && random_.chance(1, 3)) wish = keyed_wish(std::move(wish));
  if (random_.chance(nature_.memory_per_mille, 1000)) keep_in_memory(wish);
  if (!random_.chance(1, 40)) return wish;
  // Something is wrong with it.
  const uint64_t choice = random_.below(6);
  if (choice == 0) wish.priority = random_.chance(1, 2) ? 0 : 21;
  if (choice == 1) wish.type = "no good";
  if (choice == 2) wish.payload = std::string(201, 'x');
  if (choice == 3) wish.mode = static_cast<Mode>(3);
  if (choice == 4) wish.queue = "elsewhere";
  if (choice == 5) wish.idempotency_key = std::string(129, 'i');
  return wish;
}

// Under an idempotency key: often one that somebody has used, for the same wish, or for one that differs in
// something.
Wish World::keyed_wish(Wish wish) {
  if (!keyed_.empty() && random_.chance(2, 3)) {
    Wish before = random_.pick(keyed_);
    if (random_.chance(1, 4)) before.not_before_ms = wish.not_before_ms;
    if (random_.chance(1, 8)) before.payload = wish.payload;
    if (random_.chance(1, 16)) before.priority = wish.priority;
    if (random_.chance(1, 16)) before.queue = wish.queue;
    if (random_.chance(1, 16)) before.subject = wish.subject;
    return before;
  }
  wish.idempotency_key = random_.pick(nature_.idempotency_keys);
  keyed_.push_back(wish);
  if (keyed_.size() > 8) keyed_.erase(keyed_.begin());
  return wish;
}

void World::keep_in_memory(Wish& wish) {
  wish.durability = Durability::kMemory;
  if (!random_.chance(1, 20)) wish.idempotency_key.clear();
  wish.payload.insert(0, kMemoryPayload);
}

void World::submit(Client& client) {
  uint64_t count = random_.chance(1, 12) ? random_.between(5, 20) : 1;  // a flood now and then
  for (; count > 0; --count) {
    std::vector<Wish> wishes{random_wish()};
    if (random_.chance(1, 10)) {
      for (uint64_t n = random_.below(4); n > 0; --n) {
        Wish next = random_.chance(1, 2) ? wishes.front() : random_wish();
        next.priority = wishes.front().priority;
        if (!random_.chance(1, 10)) {
          next.queue = wishes.front().queue;
          if (wishes.front().durability == Durability::kMemory)
            keep_in_memory(next);
          else if (next.durability != Durability::kMemory)
            next.durability = wishes.front().durability;
        }
        if (next.idempotency_key.empty()) next.payload += "b";
        wishes.push_back(next);
      }
    }
    if (!client.room(0, wishes.size()) || !client.room(1, wishes.size()) || !client.room(2, wishes.size()) ||
        !client.room(3, wishes.size()))
      return;
    for (const JobId& id : client.submit(wishes, now_ns_)) all_jobs_.push_back(id);
  }
}

void World::subscribe(Client& client, bool everything) {
  if (!client.room(kControlLane, 1)) return;
  if (!everything && random_.chance(1, 10))
    return client.control(write_unsubscribe(static_cast<uint32_t>(random_.below(3))));
  SubscribeView view;
  view.number = static_cast<uint32_t>(random_.below(nature_.many_consumers ? 3 : 1));
  view.credits = static_cast<uint32_t>(random_.between(1, 4));
  view.queue = random_.pick(nature_.queues);
  if (!everything && random_.chance(1, 2))
    for (uint64_t n = random_.between(1, 2); n > 0; --n) view.types.push_back(random_.pick(nature_.types));
  client.control(write_subscribe(view));
  client.subscribed = true;
}

void World::settle(Client& client) {
  if (client.in_hand().empty() || !client.room(kControlLane, 1)) return;
  const size_t at = random_.below(client.in_hand().size());
  const InHand job = client.in_hand()[at];
  const uint64_t choice = random_.below(100);
  const auto drop = [&] {
    client.in_hand().erase(client.in_hand().begin() + static_cast<std::ptrdiff_t>(at));
    client.remember(job);
  };
  if (choice < 10) return client.settle(job, RecordKind::kStart, {}, 0);
  if (choice < 18)
    return client.settle(job, RecordKind::kExtend, random_.chance(1, 2) ? "getting on" : "", 0,
                         static_cast<uint32_t>(random_.below(3) * 2'000),
                         static_cast<uint8_t>(random_.below(101)));
  drop();
  if (choice < 55) return client.settle(job, RecordKind::kComplete, random_.chance(1, 2) ? "result" : "", 0);
  if (choice < 85)
    return client.settle(job, RecordKind::kFail, "broke",
                         random_.chance(1, 6) ? kFlagDoNotRetry : uint16_t{0});
  if (choice < 95) return client.settle(job, RecordKind::kRelease, {}, 0);
  // It forgets about the job; the lease will end.
}

// Under a lease that it had once, or with a token that it never had.
void World::settle_late(Client& client) {
  if (client.remembered().empty() || !client.room(kControlLane, 1)) return;
  InHand job = client.remembered()[random_.below(client.remembered().size())];
  job.guessed = random_.chance(1, 4);
  if (job.guessed) ++job.token.lease;
  const RecordKind kinds[] = {RecordKind::kComplete, RecordKind::kFail, RecordKind::kRelease,
                              RecordKind::kExtend};
  client.settle(job, random_.pick(kinds), {}, 0);
}

JobId World::any_job(Client& client) {
  if (!client.own().empty() && random_.chance(3, 4)) return client.own()[random_.below(client.own().size())];
  if (!nature_.schedules.empty() && random_.chance(1, 4))
    for (const auto& [id, job] : around_.model.live())
      if (id.tag() == JobId::kScheduleTag && random_.chance(1, 2)) return id;
  return all_jobs_.empty() ? JobId::make(1, 1, 1, 1) : random_.pick(all_jobs_);
}

void World::command(Client& client) {
  if (!client.room(kControlLane, 1)) return;
  const uint64_t choice = random_.below(100);
  if (!nature_.schedules.empty() && random_.chance(1, 12)) return schedule(client);
  const JobId id = any_job(client);
  if (choice < 35) {
    around_.trace.say(now_ns_, "client ", client.name(), " cancels job ", id);
    return client.control(write_cancel(id, random_.chance(1, 2)));
  }
  if (choice < 70) {
    around_.trace.say(now_ns_, "client ", client.name(), " redrives job ", id);
    history_.redriven(id);
    return client.control(write_redrive(id));
  }
  if (choice < 76) return client.control(write_purge(id));
  if (choice < 82) return client.control(write_review(id, "looked into"));
  if (choice < 86) return all_dead_letters(client);
  if (choice < 92) return configure(client);
  const QueueAction actions[] = {QueueAction::kPause, QueueAction::kDrain, QueueAction::kResume,
                                 QueueAction::kResume};
  client.control(write_queue_control(random_.pick(actions), random_.pick(nature_.queues)));
}

// One after the other, as a tool does for all that a list has shown it.
void World::all_dead_letters(Client& client) {
  const uint64_t choice = random_.below(3);
  const std::string type = random_.pick(nature_.types);
  for (const auto& [id, job] : around_.model.finished()) {
    if (!job.dead_letter() || job.type != type || !client.room(kControlLane, 1)) continue;
    if (choice == 0) history_.redriven(id);
    client.control(choice == 0   ? write_redrive(id)
                   : choice == 1 ? write_purge(id)
                                 : write_review(id, "all of them"));
  }
}

void World::configure(Client& client) {
  const std::string queue = random_.chance(1, 20) ? "nobody-has-it" : random_.pick(nature_.queues);
  QueueKeys keys = static_cast<QueueKeys>(random_.next()) & ((QueueKeys{1} << std::size(kQueueKeys)) - 1);
  for (int i = 0; i < 2; ++i) keys &= static_cast<QueueKeys>(random_.next());
  if (random_.chance(1, 4)) keys = 0;
  QueueSettings settings = random_settings();
  if (random_.chance(1, 20)) settings.max_attempts = 0;
  around_.trace.say(now_ns_, "client ", client.name(), " sets ", keys, " of queue ", queue);
  client.control(write_queue_configure(queue, settings, keys));
}

void World::schedule(Client& client) {
  if (!client.room(kControlLane, 1)) return;
  const std::string name = random_.pick(nature_.schedules);
  if (random_.chance(1, 8)) return client.remove_schedule(name);
  const char* const often[] = {"* * * * *",      "*/7 * * * *",     "@every 1s",    "@every 90s",
                               "@hourly",        "30 * * * *",      "@every 2h30m", "15,45 */2 * * *",
                               "0 1-23/2 * * *", "30 0,1,2,3 * * *"};
  const char* const seldom[] = {"0 12 * * 1", "@daily", "59 23 */3 * 0", "0 4 13 * 5", "@monthly"};
  const char* const none[] = {"60 * * * *", "* * 0 * *", "@every 0s", "* * * *"};
  std::string spec = random_.chance(4, 5) ? random_.pick(often) : random_.pick(seldom);
  if (random_.chance(1, 20)) spec = random_.pick(none);
  std::string zone(random_.pick(kMovedClocks).name);
  if (random_.chance(1, 20)) zone = "Sim/Nowhere";
  Wish wish = random_wish();
  if (!random_.chance(1, 20)) {
    wish.not_before_ms = 0;
    wish.idempotency_key.clear();
    if (std::exchange(wish.durability, Durability::kOs) == Durability::kMemory)
      wish.payload.erase(0, kMemoryPayload.size());
  }
  client.set_schedule(name, spec, zone, wish, random_.chance(1, 3));
}

void World::watch(Client& client) {
  if (!client.room(kControlLane, 1)) return;
  if (client.watches() > 1 || random_.chance(1, 5)) return client.unwatch();
  WatchHead head;
  if (random_.chance(1, 6)) head.job = any_job(client);
  const uint32_t users[] = {500, 1000, 1001, 1002};
  if (random_.chance(1, 4)) head.owner_uid = random_.pick(users);
  const uint32_t last[] = {0, 0, 3, 30};
  head.last = random_.pick(last);
  if (random_.chance(1, 4)) head.states = static_cast<uint8_t>(random_.below(128));
  head.follow = random_.chance(1, 5) ? 0 : 1;
  const std::string queue = random_.chance(1, 4) ? random_.pick(nature_.queues) : "";
  const std::string type = random_.chance(1, 4) ? random_.pick(nature_.types) : "";
  around_.trace.say(now_ns_, "client ", client.name(), " watches");
  client.watch(head, queue, type);
}

}  // namespace pqd::sim
