#include "tests/bench/engine_profile.h"

#include <signal.h>

#include <array>
#include <filesystem>
#include <sstream>
#include <string_view>
#include <vector>

#include "tests/support/program.h"

namespace pqd::bench {
namespace {

struct Look {
  std::string thread;
  std::string_view part;
  std::string symbol;
};

struct Rule {
  std::string_view text;
  std::string_view part;
};
// By library; the first that fits.
constexpr std::array kLibraries = std::to_array<Rule>({
    {"libcrypto", "SHA-256"},
    {"librocksdb", "RocksDB"},
    {"[kernel", "kernel: disk, waking, sleeping"},
    {"[vdso", "clock"},
});
// By function, of pqd itself and of what the compiler put into it.
constexpr std::array kFunctions = std::to_array<Rule>({
    {"RowFold", "rows of the checkpoint"},
    {"encode_row", "rows of the checkpoint"},
    {"MetricsFold", "rows of the checkpoint"},
    {"MetricsRow", "rows of the checkpoint"},
    {"Checkpoint", "rows of the checkpoint"},
    {"pqd::Store", "store"},
    {"Committer", "store"},
    {"Drain", "lanes in"},
    {"RingReader", "lanes in"},
    {"read_submit_record", "lanes in"},
    {"check_submit", "lanes in"},
    {"valid_name", "lanes in"},
    {"Outbox", "deliveries and answers out"},
    {"DeliveryWriter", "deliveries and answers out"},
    {"SessionPort", "deliveries and answers out"},
    {"encode_event", "events into bytes"},
    {"ByteWriter", "events into bytes"},
    {"vector<std::byte", "events into bytes"},
    {"CommitBuilder", "events into bytes"},
    {"Rate", "rate limit"},
    {"rate", "rate limit"},
    {"user_text", "rate limit"},
    {"Broker", "broker"},
    {"pqd::State", "broker's tables"},
    {"pqd::Tables", "broker's tables"},
    {"JobTable", "broker's tables"},
    {"LiveIndex", "broker's tables"},
    {"ReadyQueue", "broker's tables"},
    {"ReadyLine", "broker's tables"},
    {"Timers", "broker's tables"},
    {"Consumers", "broker's tables"},
    {"pqd::fold", "broker's tables"},
    {"pqd::born", "broker's tables"},
    {"boost::unordered", "broker's tables"},
    {"malloc", "memory"},
    {"free", "memory"},
    {"operator new", "memory"},
    {"operator delete", "memory"},
    {"memcpy", "copying"},
    {"memmove", "copying"},
    {"memset", "copying"},
    {"memcmp", "copying"},
});
// What only one thread does.
constexpr std::array kThreads = std::to_array<Rule>({
    {"pqd::Broker", "worker"},
    {"pqd::Drain", "worker"},
    {"RowFold", "checkpointer"},
    {"encode_row", "checkpointer"},
    {"rocksdb::BackgroundCompaction", "RocksDB's own"},
    {"rocksdb::CompactionJob", "RocksDB's own"},
    {"rocksdb::FlushJob", "RocksDB's own"},
    {"rocksdb::BuildTable", "RocksDB's own"},
    {"pqd::Committer", "committer"},
    {"WriteToWAL", "committer"},
    {"fdatasync", "committer"},
    {"crc32c", "committer"},
});

template <size_t N>
std::string_view fitting(const std::array<Rule, N>& rules, std::string_view text) {
  for (const Rule& rule : rules)
    if (text.find(rule.text) != std::string_view::npos) return rule.part;
  return {};
}

// "  1234      55d2a7 pqd::Broker::submit(unsigned long) (/usr/lib/pqd-engine)"
std::optional<Look> look_of(const std::string& line) {
  const size_t open = line.rfind(" (");
  std::istringstream words(line);
  std::string thread, address;
  if (open == std::string::npos || !(words >> thread >> address)) return std::nullopt;
  const auto from = static_cast<size_t>(words.tellg());
  Look look{thread, {}, from < open ? line.substr(from, open - from) : ""};
  look.part = fitting(kLibraries, std::string_view(line).substr(open));
  if (look.part.empty()) look.part = fitting(kFunctions, look.symbol);
  if (look.part.empty()) look.part = "other";
  return look;
}

}  // namespace

PartCounts count_parts(const std::string& script) {
  std::vector<Look> looks;
  std::map<std::string, std::map<std::string_view, uint64_t>> votes;  // by thread
  std::map<std::string, uint64_t> in_rocksdb;
  std::istringstream lines(script);
  for (std::string line; std::getline(lines, line);) {
    auto look = look_of(line);
    if (!look) continue;
    if (const std::string_view name = fitting(kThreads, look->symbol); !name.empty())
      ++votes[look->thread][name];
    if (look->part == "RocksDB") ++in_rocksdb[look->thread];
    looks.push_back(std::move(*look));
  }
  PartCounts counts;
  for (const Look& look : looks) {
    // Its own threads may be met in nothing that tells them apart.
    std::string_view name = in_rocksdb.contains(look.thread) ? "RocksDB's own" : "other threads";
    uint64_t most = 0;
    for (const auto& [candidate, count] : votes[look.thread])
      if (count > most) most = count, name = candidate;
    ++counts[std::string(name) + ": " + std::string(look.part)];
  }
  return counts;
}

EngineProfile::EngineProfile(pid_t engine) {
  if (test::run({"perf", "--version"}).exit != 0) return;
  std::string directory = (std::filesystem::temp_directory_path() / "pqd-profile-XXXXXX").string();
  if (::mkdtemp(directory.data()) == nullptr) return;
  directory_ = directory;
  perf_ = std::make_unique<test::Program>(std::vector<std::string>{"perf", "record", "-q", "-e", "cpu-clock",
                                                                   "-F", "2999", "-p", std::to_string(engine),
                                                                   "-o", directory_ + "/data"});
}

EngineProfile::~EngineProfile() {
  perf_.reset();
  std::error_code ignored;
  if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
}

PartCounts EngineProfile::finish() {
  if (perf_ == nullptr) return {};
  perf_->signal(SIGINT);
  perf_->wait();
  return count_parts(test::run({"perf", "script", "-F", "tid,ip,sym,dso", "-i", directory_ + "/data"}).out);
}

}  // namespace pqd::bench
