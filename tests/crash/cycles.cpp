#include "tests/crash/cycles.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <memory>
#include <random>
#include <sstream>
#include <thread>

#include "core/partition.h"
#include "tests/crash/meddler.h"
#include "tests/support/daemon.h"
#include "tests/support/descriptor_keeper.h"
#include "tests/support/eventually.h"
#include "tests/support/process.h"

namespace pqd::test {
namespace {

constexpr uint64_t kLeaseMs = 400;

constexpr uint64_t kJobsBefore = 60;  // allowed before a fault, which comes somewhere among them
constexpr uint64_t kJobsAfter = 40;   // and after it
constexpr uint64_t kHandledAfter = 20;
constexpr uint64_t kStartUsMax = 60'000;  // an engine is ready sooner than that

constexpr std::array<std::string_view, kFaultCount> kNames{
    "engine killed",      "daemon killed",    "producer killed",  "consumer killed",
    "engine stopped",     "producer stopped", "consumer stopped", "starting engine killed",
    "two killed at once", "operator killed"};

// Sockets stay behind.
void copy_files(const std::string& from, const std::string& to) {
  namespace fs = std::filesystem;
  for (const auto& entry : fs::recursive_directory_iterator(from)) {
    if (!entry.is_regular_file()) continue;
    const fs::path place = to / entry.path().lexically_relative(from);
    fs::create_directories(place.parent_path());
    fs::copy_file(entry.path(), place);
  }
}

// One daemon's worth of loads.
class Life {
 public:
  Life(const CyclePlan& plan, CycleReport& report)
      : plan_(plan),
        report_(report),
        daemon_(std::string(kCycleConfig) + "partitions = " + std::to_string(plan.partitions) + "\n",
                plan.environment, plan.programs) {
    if (plan.descriptors_kept) daemon_.serve_under(&keeper_);
  }

  // False: the campaign is over.
  bool run(uint64_t number) {
    seed_ = stirred(plan_.seed, number);
    random_.seed(seed_);
    if (!daemon_.running()) {
      if (const auto started = daemon_.start(); !started) return broken(started.message());
    }
    for (uint32_t partition = 0; partition < plan_.partitions; ++partition) {
      loads_.push_back(std::make_unique<Load>(daemon_.socket(), load_of(number, partition)));
      loads_.back()->allow(0);
    }
    for (uint64_t i = 0; i < plan_.cycles_judged && report_.cycles < plan_.cycles; ++i)
      if (!cycle()) break;
    for (const auto& load : loads_)
      if (const std::string faults = load->finish(); !faults.empty()) broken(faults);
    judge_them();
    if (!report_.broken.empty()) keep();
    loads_.clear();
    return report_.broken.empty();
  }

 private:
  uint64_t below(uint64_t bound) { return random_() % bound; }

  // The n-th of this partition.
  LoadOptions load_of(uint64_t number, uint32_t partition) const {
    LoadOptions options = cycle_load(seed_ + 2 * partition, number);
    options.partitions = plan_.partitions;
    const std::string stem = options.queue + ".";
    for (int i = 0; partition_of(options.queue, plan_.partitions) != partition; ++i)
      options.queue = stem + std::to_string(i);
    return options;
  }
  void allow(uint64_t jobs) {
    for (const auto& load : loads_) load->allow(jobs);
  }
  bool handle(uint64_t jobs) {
    return std::ranges::all_of(loads_, [jobs](const auto& load) { return load->handles(jobs); });
  }

  bool broken(const std::string& what) {
    report_.broken.push_back("load " + std::to_string(report_.loads) + " of seed " +
                             std::to_string(plan_.seed) + ", cycle " + std::to_string(report_.cycles) + ": " +
                             what);
    return false;
  }

  bool cycle() {
    const auto fault = static_cast<Fault>(below(kFaultCount));
    load_ = loads_[loads_.size() == 1 ? 0 : below(loads_.size())].get();
    allow(kJobsBefore);
    if (!handle(below(kJobsBefore / 2))) return broken("the load stands still before a fault");
    if (!meddle(fault)) return false;
    allow(kJobsAfter);
    ++report_.cycles;
    ++report_.by_fault[static_cast<size_t>(fault)];
    if (!handle(kHandledAfter)) return broken("the load stands still: " + std::string(fault_name(fault)));
    return true;
  }

  // The fault, now and then while operators are at work.
  bool meddle(Fault fault) {
    Meddler meddler(daemon_.socket(), load_->options().queue,
                    [this](uint64_t bound) { return below(bound); });
    const bool pauses = below(6) == 0;
    std::string went_wrong = below(4) == 0 ? meddler.cancel_some() : "";
    if (pauses && went_wrong.empty()) went_wrong = meddler.pause();
    if (below(24) == 0) await_due_time();
    strike(fault);
    if (pauses && went_wrong.empty()) went_wrong = meddler.resume();
    report_.pauses += meddler.pauses();
    report_.cancels += meddler.cancels();
    return went_wrong.empty() || broken(went_wrong);
  }

  void strike(Fault fault) {
    if (plan_.tell)
      std::fprintf(stderr, "cycle %lu: %s\n", report_.cycles, std::string(fault_name(fault)).c_str());
    switch (fault) {
      case Fault::kEngineKilled:
        return kill_engine();
      case Fault::kDaemonKilled:
        return kill_daemon();
      case Fault::kProducerKilled:
        return load_->restart_producer(below(3));
      case Fault::kConsumerKilled:
        return load_->restart_consumer(below(3));
      case Fault::kEngineStopped:
        if (const auto frozen = daemon_.freeze_engine(); !frozen) broken(frozen.message());
        stay();
        return daemon_.thaw_engine();
      case Fault::kProducerStopped:
      case Fault::kConsumerStopped:
        return stop_client(fault == Fault::kProducerStopped);
      case Fault::kStartingEngineKilled:
        kill_engine();
        for (uint64_t left = 1 + below(2); left > 0; --left) {
          const pid_t next = daemon_.engine();
          std::this_thread::sleep_for(std::chrono::microseconds(below(kStartUsMax)));
          if (daemon_.engine() == next) kill_engine();
        }
        return;
      case Fault::kTwoKilled:
        kill_one(below(5));
        return kill_one(below(5));
      case Fault::kOperatorKilled:
        return load_->restart_operator(0);
    }
  }

  // Schedules of a load run at whole seconds. Somewhere around the next one, a little later rather than
  // sooner.
  void await_due_time() {
    using namespace std::chrono;
    const auto now = system_clock::now();
    std::this_thread::sleep_until(ceil<seconds>(now) - 2ms + microseconds(below(8'000)));
    ++report_.at_due_times;
  }

  void kill_one(uint64_t which) {
    constexpr Fault kKills[] = {Fault::kEngineKilled, Fault::kDaemonKilled, Fault::kProducerKilled,
                                Fault::kConsumerKilled, Fault::kOperatorKilled};
    if (plan_.tell) std::fprintf(stderr, "  of these: %s\n", std::string(fault_name(kKills[which])).c_str());
    if (which == 0) return kill_engine();
    if (which == 1) return kill_daemon();
    if (which == 2) return load_->restart_producer(below(3));
    if (which == 3) return load_->restart_consumer(below(3));
    load_->restart_operator(0);
  }
  void note_engines_death() {
    for (const auto& load : loads_) load->engine_died();
  }
  void kill_engine() {
    daemon_.kill_engine();
    note_engines_death();
  }
  void kill_daemon() {
    if (plan_.descriptors_kept && below(2) == 0)
      daemon_.stop();
    else
      daemon_.kill();
    note_engines_death();
    if (const auto started = daemon_.start(); !started) broken(started.message());
  }
  void stop_client(bool producer) {
    const size_t which = below(3);
    const auto signal = [&](int number) {
      producer ? load_->signal_producer(which, number) : load_->signal_consumer(which, number);
    };
    signal(SIGSTOP);
    stay();
    signal(SIGCONT);
  }
  // The time that a stopped process stays so: that is the fault.
  void stay() {
    const uint64_t ms = below(8) == 0 ? kLeaseMs + 50 + below(150) : below(kLeaseMs / 4);
    std::this_thread::sleep_for(std::chrono::milliseconds(ms));
  }

  void judge_them() {
    for (const auto& load : loads_) {
      const LoadJudgement judged = judge(*load);
      report_.figures += judged.figures;
      for (const std::string& rule : judged.broken) broken(rule);
      ++report_.loads;
    }
    demand_no_complaints();
  }

  // Killed was what the campaign killed; whatever else ended an engine is a fault of its own.
  void demand_no_complaints() {
    std::istringstream log(daemon_.log());
    for (std::string line; std::getline(log, line);) {
      if (line.find(" error ") == std::string::npos && line.find(" critical ") == std::string::npos) continue;
      // An engine may see that its supervisor is gone before the kernel kills it for that.
      if (line.find("was ended by signal 9") == std::string::npos &&
          line.find("the link to the supervisor is lost") == std::string::npos)
        broken("the daemon says: " + line);
    }
  }

  void keep() {
    if (plan_.kept_directory.empty()) return;
    daemon_.kill();
    std::filesystem::create_directories(plan_.kept_directory);
    write_file(plan_.kept_directory + "/pqd.log", daemon_.log());
    copy_files(daemon_.directory(), plan_.kept_directory + "/daemon");
    for (size_t i = 0; i < loads_.size(); ++i)
      copy_files(loads_[i]->directory(),
                 plan_.kept_directory + "/deeds" + (i > 0 ? "." + std::to_string(i) : ""));
  }

  const CyclePlan& plan_;
  CycleReport& report_;
  DescriptorKeeper keeper_;
  Daemon daemon_;
  uint64_t seed_ = 0;
  std::mt19937_64 random_;
  std::vector<std::unique_ptr<Load>> loads_;  // a partition each
  Load* load_ = nullptr;                      // whose clients the fault in hand meets
};

}  // namespace

const char* const kCycleConfig = R"(
[daemon]
engine_backoff_max = "10ms"
log_level = "warn"
[store]
checkpoint_interval = "100ms"
[limits]
rate_limit = 0
[queues.defaults]
max_depth = 150
max_active = 0
queue_timeout = 0
admission_timeout = "2m"
processing_timeout = "400ms"
batch_size = 8
batch_interval = "20ms"
[engine]
payload_memory_bytes = "8KiB"
)";

LoadOptions cycle_load(uint64_t seed, uint64_t number) {
  LoadOptions options;
  options.producers = options.consumers = 3;
  options.operators = 1;
  options.queue = "load." + std::to_string(number);
  options.window = 40;
  options.credits = 16;
  options.mix = seed | 1;
  return options;
}

std::string_view fault_name(Fault fault) { return kNames[static_cast<size_t>(fault)]; }

CycleReport run_cycles(const CyclePlan& plan) {
  CycleReport report;
  const auto start = std::chrono::steady_clock::now();
  const auto over = [&] {
    return report.cycles >= plan.cycles ||
           (plan.budget.count() != 0 && std::chrono::steady_clock::now() - start > plan.budget);
  };
  for (uint64_t number = 0; !over();) {
    Life life(plan, report);
    for (uint64_t i = 0; i < plan.loads_daemon && !over(); ++i)
      if (!life.run(number++)) return report;
  }
  return report;
}

}  // namespace pqd::test
