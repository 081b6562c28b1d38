#include "daemon/engine/engine.h"

#include <spdlog/spdlog.h>
#include <sys/random.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "daemon/config/config.h"
#include "daemon/engine/engine_partition.h"
#include "daemon/engine/shared_rate_gate.h"
#include "daemon/log/last_words.h"
#include "daemon/log/log.h"
#include "shm/crash_point.h"

namespace pqd {
namespace {

// Users are known to the broker by their numbers.
template <class Numbers>
FairWeights by_uid(const Numbers& named) {
  FairWeights numbers;
  for (const auto& [name, number] : named) {
    const size_t slash = std::min(name.find('/'), name.size());
    if (const auto uid = uid_of_user(name.substr(0, slash)))
      numbers[std::to_string(*uid) + name.substr(slash)] = number;
  }
  return numbers;
}

BrokerOptions broker_options(const Config& config) {
  BrokerOptions options;
  options.defaults = config.queues.defaults;
  options.queues = config.queues.named;
  for (const auto& [name, weights] : config.queues.weights)
    options.weights[name] = {by_uid(weights.users), weights.keys};
  options.strict_queues = config.queues.strict;
  options.payload_bytes_max = config.daemon.max_payload_bytes;
  options.rate_limit = config.limits.rate_limit;
  options.user_rates = by_uid(config.limits.user_rates);
  options.access = access_rules(config.access, ::geteuid());
  return options;
}

class Engine {
 public:
  Engine(const EngineArgs& args, SupervisorLink& link) : args_(args), link_(link), line_(args.partitions) {}

  StartResult run() {
    if (auto ok = open_store(); !ok) return ok;
    add_partitions();
    std::vector<std::thread> threads;
    for (size_t i = 1; i < partitions_.size(); ++i) threads.emplace_back([this, i] { run_beside(i); });
    run_first();
    for (std::thread& thread : threads) thread.join();
    for (StartResult& started : started_)
      if (!started && !started.error().text.empty()) return std::move(started);
    return {};
  }

 private:
  StartResult open_store() {
    auto config = parse_config(args_.config_toml, "engine", {});
    if (!config) return std::unexpected(StartFault{config.error().front(), kEngineExitHalt});
    config_ = std::move(*config);
    open_log("engine", config_.daemon.log_level);
    auto database = Database::open({.directory = config_.daemon.state_dir, .partitions = args_.partitions});
    if (!database) return std::unexpected(fault_of(database.error()));
    database_ = std::move(*database);
    PQD_CRASH_POINT("start-store-open");
    // What a backup left that did not end; it would hold tables on the disk.
    if (auto gone = Database::remove_copy(config_.daemon.state_dir); !gone)
      spdlog::warn("{}", gone.error().text);
    return {};
  }

  void add_partitions() {
    BrokerOptions options = broker_options(config_);
    options.partitions = args_.partitions;
    options.gate = args_.partitions > 1 ? &gate_ : nullptr;
    for (uint32_t i = 0; i < args_.partitions; ++i) {
      options.partition = static_cast<PartitionNo>(i);
      if (::getrandom(&options.seed, sizeof options.seed, 0) != sizeof options.seed) options.seed = 1 + i;
      partitions_.push_back(std::make_unique<EnginePartition>(
          PartitionSetup{args_, config_, link_, database_, line_, options}));
    }
    started_.resize(partitions_.size());
  }

  // On this thread, which the supervisor's words come to as well.
  void run_first() {
    EnginePartition& first = *partitions_[0];
    started_[0] = first.start();
    if (started_[0]) {
      listen(first);
      link_.ready();
      PQD_CRASH_POINT("start-ready");
      first.run();
    }
    first.take_apart();
  }

  void run_beside(size_t number) {
    EnginePartition& partition = *partitions_[number];
    started_[number] = partition.start();
    if (started_[number]) partition.run();
    partition.take_apart();
  }

  void listen(EnginePartition& first) {
    link_.listen(first.loop(), {.opened =
                                    [this, &first](const SessionGrant& grant) {
                                      if (grant.partition == 0) return first.worker().opened(grant);
                                      inbox_of(grant.partition).put(grant);
                                    },
                                .closed =
                                    [this, &first](SessionNo session, uint32_t partition) {
                                      if (partition == 0) return first.worker().closed(session);
                                      inbox_of(partition).put(SessionLeft{session});
                                    },
                                .stop =
                                    [this, &first] {
                                      for (size_t i = 1; i < partitions_.size(); ++i)
                                        partitions_[i]->inbox().put(StopAsked{});
                                      first.worker().stop();
                                    }});
  }
  // REQUIRES: the supervisor knows how many there are.
  SessionInbox& inbox_of(uint32_t partition) {
    if (partition >= partitions_.size()) std::abort();
    return partitions_[partition]->inbox();
  }

  const EngineArgs& args_;
  SupervisorLink& link_;
  Config config_;
  std::shared_ptr<Database> database_;
  SharedRateGate gate_;
  StartLine line_;
  std::vector<std::unique_ptr<EnginePartition>> partitions_;
  std::vector<StartResult> started_;  // each written by its partition's thread
};

}  // namespace

int run_engine(const EngineArgs& args) {
  // Like a failed write, see fail_stop(): from whichever thread meets it, in whatever it was.
  end_without_memory("engine", "Nothing more is acknowledged; the engine ends and the next one recovers",
                     kEngineExitRestart);
  SupervisorLink link(args.link_fd);
  Engine engine(args, link);
  const auto ran = engine.run();
  if (ran) return 0;
  link.fatal(ran.error().text);
  return ran.error().status;
}

}  // namespace pqd
