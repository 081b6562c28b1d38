// A world made from one seed: queues, clients, an engine on a store, time, and what goes wrong. run() lets it
// live, lets the faults stop, and demands that everything ends as it must.
#pragma once

#include <list>
#include <memory>

#include "tests/sim/client.h"
#include "tests/sim/engine.h"

namespace pqd::sim {

struct WorldFigures {
  uint64_t jobs = 0, runs = 0, events = 0, clients = 0, crowd = 0, turns = 0, commits = 0, checkpoints = 0;
  uint64_t engine_crashes = 0, supervisor_crashes = 0, power_cuts = 0;
  uint64_t lived_ms = 0;

  WorldFigures& operator+=(const WorldFigures& other);
};

struct WorldOptions {
  uint64_t seed = 1;
  bool verbose = false;
  bool walk = true;
};

class World {
 public:
  explicit World(const WorldOptions& options);

  // Throws a Fault.
  WorldFigures run();

 private:
  // What the seed decides for the world's whole life.
  struct Nature {
    uint64_t steps = 0, client_count = 0, act_per_mille = 0, fault_per_mille = 0, greed = 0,
             sync_per_mille = 0, memory_per_mille = 0;
    bool long_leaps = false, odd_times = false, many_consumers = false, batches = false, watchers = false,
         roles = false, crowd = false;
    bool bad_power = false, careful = false;  // mostly power cuts; mostly at-most-once jobs
    std::vector<std::string> queues, types, keys, idempotency_keys, subjects, schedules;
  };

  // world.cpp
  void make_nature();
  void make_crowd();
  QueueSettings random_settings();
  AccessRule random_rule();
  AccessRules access_rules();
  BrokerOptions broker_options();
  void step();
  void commit_and_publish();
  void pass_time();
  void everybody_looks();

  // world_faults.cpp
  void fault();
  void crash_engine();
  void crash_supervisor();
  void cut_power();
  void start_engine();
  bool engine_can() const { return engine_ != nullptr; }

  // world_clients.cpp
  void act(Client& client);
  void connect(Client& client);
  Wish random_wish();
  Wish keyed_wish(Wish wish);
  void keep_in_memory(Wish& wish);
  void submit(Client& client);
  void consume(Client& client);
  void settle(Client& client);
  void settle_late(Client& client);
  void command(Client& client);
  void all_dead_letters(Client& client);
  void configure(Client& client);
  void schedule(Client& client);
  void watch(Client& client);
  void subscribe(Client& client, bool everything);
  JobId any_job(Client& client);

  // world_end.cpp
  void let_everything_end();
  void final_round();
  void demand_rules();

  uint64_t seed_;
  Random random_;
  Surroundings around_;
  Nature nature_;
  SimZones zones_;
  BrokerOptions options_;
  check::History history_;
  std::unique_ptr<Engine> engine_;
  std::list<Client> clients_;
  uint64_t last_client_ = 0;
  std::vector<JobId> all_jobs_;
  std::vector<Wish> keyed_;  // wishes that had an idempotency key, to be said again
  TimeNs now_ns_ = 0;
  WorldFigures figures_;
};

}  // namespace pqd::sim
