#include "tests/sim/world.h"

#include "tests/sim/canary.h"

namespace pqd::sim {
namespace {

constexpr TimeNs kStartNs = 1'700'000'000'000 * kMillisecondNs;
constexpr TimeNs kDayNs = 86'400 * kSecondNs;
constexpr uint64_t kCrowdEach = 500;  // one world in so many

}  // namespace

WorldFigures& WorldFigures::operator+=(const WorldFigures& other) {
  jobs += other.jobs;
  runs += other.runs;
  events += other.events;
  clients += other.clients;
  crowd = std::max(crowd, other.crowd);
  turns += other.turns;
  commits += other.commits;
  checkpoints += other.checkpoints;
  engine_crashes += other.engine_crashes;
  supervisor_crashes += other.supervisor_crashes;
  power_cuts += other.power_cuts;
  lived_ms += other.lived_ms;
  return *this;
}

World::World(const WorldOptions& options)
    : seed_(options.seed), random_(options.seed), around_{{}, {}, Model({}), {}, {}}, now_ns_(kStartNs) {
  around_.walk = options.walk;
  around_.trace.on = options.verbose;
  around_.trace.start_ns = kStartNs;
  make_nature();
  options_ = broker_options();
  around_.model = Model(options_);
  around_.models.emplace(0, around_.model);
}

// Thousands of programs at once, in few steps.
void World::make_crowd() {
  nature_.crowd = true;
  nature_.steps = random_.between(20, 40);
  nature_.client_count = random_.between(2'000, 2'500);
  nature_.act_per_mille = random_.between(50, 300);
  nature_.fault_per_mille = random_.between(20, 80);
  nature_.greed = 64;
  nature_.roles = false;
}

// Small worlds find more in a second than large ones; some are large all the same.
void World::make_nature() {
  const bool large = random_.chance(1, 40);
  nature_.steps = large ? random_.between(200, 500) : random_.between(20, 160);
  nature_.client_count = large ? random_.between(10, 30) : random_.between(1, 5);
  nature_.act_per_mille = random_.between(100, 900);
  const uint64_t faults[] = {0, 5, 20, 60};
  nature_.fault_per_mille = random_.pick(faults);
  nature_.bad_power = random_.chance(1, 6);
  if (nature_.bad_power) nature_.fault_per_mille = random_.between(60, 200);
  nature_.careful = random_.chance(1, nature_.bad_power ? 2 : 6);
  const uint64_t syncs[] = {500, 500, 150, 50};
  nature_.sync_per_mille = random_.pick(syncs);
  nature_.greed = random_.chance(1, 3) ? random_.between(1, 4) : 64;
  nature_.long_leaps = random_.chance(1, 8);
  nature_.odd_times = random_.chance(1, 4);
  nature_.many_consumers = random_.chance(1, 2);
  nature_.batches = random_.chance(1, 2);
  nature_.watchers = random_.chance(1, 3);
  nature_.roles = random_.chance(1, 4);
  if (random_.chance(1, 2)) around_.event_slots = random_.between(1, 6);
  if (random_.chance(1, 2)) around_.watch_line = random_.between(1, 8);
  const uint64_t memory[] = {0, 0, 300, 950};
  nature_.memory_per_mille = random_.pick(memory);
  if (seed_ % kCrowdEach == kCrowdEach / 2) make_crowd();
  around_.receipt_slots = random_.chance(1, 4) ? random_.between(1, 4) : 64;
  nature_.queues = {"default"};
  for (uint64_t n = random_.below(3); n > 0; --n) nature_.queues.push_back("q" + std::to_string(n));
  for (uint64_t n = random_.between(1, 3); n > 0; --n) nature_.types.push_back("t" + std::to_string(n));
  for (uint64_t n = nature_.crowd ? 200 : random_.below(4); n > 0; --n)
    nature_.keys.push_back("k" + std::to_string(n));
  for (uint64_t n = random_.below(4); n > 0; --n) nature_.idempotency_keys.push_back("i" + std::to_string(n));
  for (uint64_t n = random_.below(3); n > 0; --n) nature_.subjects.push_back("s" + std::to_string(n));
  if (random_.chance(1, 3))
    for (uint64_t n = random_.between(1, 3); n > 0; --n) nature_.schedules.push_back("c" + std::to_string(n));
}

QueueSettings World::random_settings() {
  QueueSettings s;
  if (random_.chance(1, 2)) s.max_depth = static_cast<uint32_t>(random_.between(1, 12));
  if (random_.chance(1, 5)) s.max_bytes = random_.between(20, 300);
  if (random_.chance(1, 4)) s.admission_timeout_ms = static_cast<uint32_t>(random_.below(3) * 700);
  const uint32_t queue_timeouts[] = {0, 800, 5'000, 30'000};
  s.queue_timeout_ms = random_.pick(queue_timeouts);
  const uint32_t leases[] = {500, 3'000, 60'000};
  s.processing_timeout_ms = random_.pick(leases);
  s.max_active = static_cast<uint32_t>(random_.below(6));
  if (nature_.crowd) {
    s.max_depth = static_cast<uint32_t>(random_.between(200, 2'000));
    s.max_bytes = 1'000'000;
    if (s.max_active != 0) s.max_active *= 40;
  }
  s.max_attempts = static_cast<uint32_t>(random_.between(1, 4));
  s.backoff_first_ms = static_cast<uint32_t>(random_.below(4) * 400);
  if (random_.chance(1, 3)) s.backoff_cap_ms = 1'000;
  const uint32_t guards[] = {0, 1, 2, 3, 5, 16};
  s.starvation_guard = random_.pick(guards);
  s.batch_size = static_cast<uint32_t>(random_.between(1, 5));
  const uint32_t intervals[] = {1, 400, 1'000, 5'000};
  s.batch_interval_ms = random_.pick(intervals);
  const Fairness fair[] = {Fairness::kOff, Fairness::kOff, Fairness::kUser, Fairness::kKey};
  s.fair = random_.pick(fair);
  return s;
}

AccessRule World::random_rule() {
  AccessRule rule;
  for (const char* queue : {"*", "default", "q*", "q1"})
    if (random_.chance(1, 3)) rule.produces.push_back(*NamePattern::parse(queue));
  for (const char* work : {"*", "default", "q1/t1", "*/t2", "q*/t*"})
    if (random_.chance(1, 3)) rule.consumes.push_back(*ConsumeRight::parse(work));
  rule.acts_for = random_.chance(1, 3);
  rule.operates = random_.chance(1, 6);
  rule.admin = random_.chance(1, 16);
  return rule;
}

// Who may do what, as the configuration of the day has it; in most worlds everybody everything.
AccessRules World::access_rules() {
  AccessRules rules;
  rules.daemon_uid = 500;
  if (!nature_.roles) {
    rules.everyone.emplace();
    rules.everyone->produces.push_back(NamePattern::everything());
    rules.everyone->consumes.push_back({NamePattern::everything(), NamePattern::everything()});
    rules.everyone->acts_for = random_.chance(1, 2);
    return rules;
  }
  if (random_.chance(1, 8)) rules.everyone = random_rule();
  for (const uint32_t uid : {1000u, 1001u, 1002u})
    if (random_.chance(2, 3)) rules.users[uid] = random_rule();
  for (const uint32_t gid : {60u, 61u})
    if (random_.chance(1, 2)) rules.groups[gid] = random_rule();
  return rules;
}

BrokerOptions World::broker_options() {
  BrokerOptions options;
  options.access = access_rules();
  options.seed = random_.next();
  options.payload_bytes_max = 200;
  options.defaults = random_settings();
  if (random_.chance(1, 3)) options.queues["q1"] = random_settings();
  options.strict_queues = random_.chance(1, 10);
  for (const std::string& queue : nature_.queues) {
    QueueWeights& weights = options.weights[queue];
    for (const char* user : {"1000", "1001", "500/s1"})
      if (random_.chance(1, 3)) weights.users[user] = static_cast<uint32_t>(random_.between(1, 4));
    for (const char* key : {"", "k1", "k2"})
      if (random_.chance(1, 3)) weights.keys[key] = static_cast<uint32_t>(random_.between(1, 4));
  }
  const uint32_t rates[] = {1, 7, 20, 60};
  if (random_.chance(1, 4)) options.rate_limit = random_.pick(rates);
  for (const char* user : {"500", "1001", "500/s1", "500/*"})
    if (random_.chance(1, 10)) options.user_rates[user] = static_cast<uint32_t>(random_.below(5));
  options.zones = &zones_;
  zones_.lost = random_.chance(1, 8) ? random_.pick(kMovedClocks).name : "";
  return options;
}

WorldFigures World::run() {
  for (uint64_t i = 0; i < nature_.client_count; ++i) {
    clients_.emplace_back(history_, around_.trace, ++last_client_,
                          static_cast<uint32_t>(i == 0 ? 500 : 1000 + i % 3));
  }
  start_engine();
  for (uint64_t i = 0; i < nature_.steps; ++i) step();
  let_everything_end();
  figures_.jobs = history_.submissions().size();
  for (const auto& [id, job] : around_.model.finished()) figures_.runs += id.tag() == JobId::kScheduleTag;
  figures_.clients = last_client_;
  figures_.crowd = clients_.size();
  figures_.events = around_.figures.events;
  figures_.turns = around_.figures.turns;
  figures_.commits = around_.figures.commits;
  figures_.checkpoints = around_.figures.checkpoints;
  figures_.lived_ms = static_cast<uint64_t>((now_ns_ - kStartNs) / kMillisecondNs);
  return figures_;
}

void World::step() {
  for (Client& client : clients_)
    if (random_.chance(nature_.act_per_mille, 1000)) act(client);
  if (engine_ != nullptr) {
    if (random_.chance(1, 60)) engine_->set_intake(random_.chance(1, 2) ? Error::kNoSpace : Error::kOk);
    TimeNs now = now_ns_;
    if (random_.chance(1, 50)) now -= static_cast<TimeNs>(random_.below(3'600)) * kSecondNs;
    if (random_.chance(4, 5)) engine_->turn(now, random_, nature_.greed);
    commit_and_publish();
  }
  everybody_looks();
  if (random_.chance(nature_.fault_per_mille, 1000)) fault();
  pass_time();
}

void World::commit_and_publish() {
  if (random_.chance(4, 5)) engine_->hand();
  for (uint64_t n = random_.below(4); n > 0; --n) engine_->write_one();
  if (random_.chance(nature_.sync_per_mille, 1000)) engine_->sync();
  if (random_.chance(4, 5)) engine_->publish();
  if (random_.chance(1, 8)) engine_->checkpoint(random_);
}

void World::everybody_looks() {
  for (Client& client : clients_)
    if (client.stalled_until <= now_ns_ && random_.chance(4, 5)) client.look(now_ns_);
}

void World::pass_time() {
  const uint64_t choice = random_.below(100);
  if (choice < 40) return;
  if (choice < 65) now_ns_ += static_cast<TimeNs>(random_.below(50)) * kMillisecondNs;
  if (choice >= 65 && choice < 80) now_ns_ += static_cast<TimeNs>(random_.below(2'000)) * kMillisecondNs;
  if (choice >= 80 && choice < 95) {
    // To the moment when something is due, or just before.
    const auto due = around_.model.next_due();
    if (due && *due > now_ns_ && *due - now_ns_ < 2 * 3'600 * kSecondNs)
      now_ns_ = *due - static_cast<TimeNs>(random_.below(2)) * kMillisecondNs;
  }
  if (choice >= 95 && choice < 98) now_ns_ += static_cast<TimeNs>(random_.below(120'000)) * kMillisecondNs;
  if (choice == 98) {
    // A day later, when a key is free again or just before.
    const auto free = around_.model.next_free_key();
    if (free && *free > now_ns_) now_ns_ = *free - static_cast<TimeNs>(random_.below(2)) * kMillisecondNs;
  }
  if (choice == 99 && nature_.long_leaps) now_ns_ += static_cast<TimeNs>(random_.below(700)) * kDayNs;
  if (nature_.odd_times) now_ns_ += static_cast<TimeNs>(random_.below(1'500'000));
}

}  // namespace pqd::sim
