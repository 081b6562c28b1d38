#include "tests/e2e/load.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <deque>
#include <filesystem>

#include "bindings/cpp/client.h"
#include "tests/support/eventually.h"

namespace pqd::test {
namespace {

constexpr int kGood = 0;
constexpr int kBad = 1;

// One record a line of the oracle: appended by one write(), so that a SIGKILL leaves whole ones.
struct Line {
  JobId id;
  uint64_t attempt = 0;
};

UniqueFd open_log(const std::string& path) {
  return UniqueFd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
}

bool note(const UniqueFd& log, const Line& line) {
  return ::write(log.get(), &line, sizeof line) == sizeof line;
}

std::vector<Line> read_logs(const std::string& directory, const std::string& prefix) {
  std::vector<Line> lines;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (!entry.path().filename().string().starts_with(prefix)) continue;
    const std::string bytes = read_file(entry.path().string());
    if (bytes.size() < sizeof(Line)) continue;  // opened, and nothing to tell yet
    const size_t before = lines.size();
    lines.resize(before + bytes.size() / sizeof(Line));
    std::memcpy(lines.data() + before, bytes.data(), (lines.size() - before) * sizeof(Line));
  }
  return lines;
}

ConnectOptions connection(const std::string& socket, const char* name) {
  ConnectOptions options;
  options.socket = socket;
  options.name = name;
  options.reconnect_timeout_ms = 60'000;
  options.submit_timeout_ms = 60'000;
  return options;
}

int failed(const Forked::Say& say, const std::string& what, const Failure& failure) {
  say(what + ": " + std::string(error_name(failure.error)) + ": " + failure.text);
  return kBad;
}

int produce(const Forked::Say& say, const std::string& socket, const LoadOptions& options, LoadBoard& board,
            const std::string& path) {
  const UniqueFd log = open_log(path);
  auto client = Client::connect(connection(socket, "producer"));
  if (!client) return failed(say, "connect", client.error());
  board.connected.fetch_add(1, std::memory_order_relaxed);
  std::deque<Ticket> open;
  for (;;) {
    const bool stop = board.stop_submitting.load(std::memory_order_relaxed);
    if (stop && open.empty()) return kGood;
    if (!stop && open.size() < options.window) {
      auto ticket = client->submit({.type = "load", .queue = options.queue, .payload = as_bytes("payload")});
      if (!ticket) return failed(say, "submit", ticket.error());
      open.push_back(*ticket);
      continue;
    }
    const auto outcome = client->wait(open.front(), Milliseconds(120'000));
    if (!outcome) return failed(say, "wait", outcome.error());
    if (!note(log, {outcome->id, 0})) return kBad;
    board.acknowledged.fetch_add(1, std::memory_order_relaxed);
    open.pop_front();
  }
}

int consume(const Forked::Say& say, const std::string& socket, const LoadOptions& options, LoadBoard& board,
            const std::string& path) {
  const UniqueFd log = open_log(path);
  auto client = Client::connect(connection(socket, "consumer"));
  if (!client) return failed(say, "connect", client.error());
  board.connected.fetch_add(1, std::memory_order_relaxed);
  const auto subscribed = client->subscribe({.queue = options.queue, .credits = options.credits});
  if (!subscribed) return failed(say, "subscribe", subscribed.error());
  while (!board.stop.load(std::memory_order_relaxed)) {
    auto job = client->next(Milliseconds(50));
    if (!job) return failed(say, "next", job.error());
    if (!*job) continue;
    if (!note(log, {(*job)->id(), (*job)->attempt()})) return kBad;
    if (const auto settled = client->complete(**job); !settled)
      return failed(say, "complete", settled.error());
    board.handled.fetch_add(1, std::memory_order_relaxed);
  }
  if (const auto flushed = client->flush(Milliseconds(60'000)); !flushed)
    return failed(say, "flush", flushed.error());
  return kGood;
}

std::string end_of(Forked& child, const char* who) {
  const int status = child.wait();
  if (status == kGood) return {};
  return std::string(who) + " ended with " + std::to_string(status) + ": " + child.hear() + "\n";
}

}  // namespace

Load::Load(const std::string& socket, const LoadOptions& options) : socket_(socket), options_(options) {
  void* page = ::mmap(nullptr, sizeof(LoadBoard), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) std::abort();
  board_ = new (page) LoadBoard;
  consumers_.resize(static_cast<size_t>(options.consumers));
  for (size_t i = 0; i < consumers_.size(); ++i) start_consumer(i);
  for (int i = 0; i < options.producers; ++i) {
    producers_.push_back(std::make_unique<Forked>([this, i](const Forked::Say& say) {
      return produce(say, socket_, options_, *board_, directory_.path("acknowledged." + std::to_string(i)));
    }));
  }
  eventually([&] { return board_->connected.load() == options.producers + options.consumers; });
}

Load::~Load() {
  producers_.clear();
  consumers_.clear();
  ::munmap(board_, sizeof(LoadBoard));
}

void Load::start_consumer(size_t index) {
  consumers_[index] = std::make_unique<Forked>([this, index](const Forked::Say& say) {
    return consume(say, socket_, options_, *board_,
                   directory_.path("delivered." + std::to_string(index) + "." + std::to_string(::getpid())));
  });
}

void Load::replace_consumer(size_t index) {
  consumers_[index]->kill_and_wait();
  start_consumer(index);
}

bool Load::handles(uint64_t more) {
  const uint64_t wanted = board_->handled.load(std::memory_order_relaxed) + more;
  return eventually([&] { return board_->handled.load(std::memory_order_relaxed) >= wanted; });
}

std::string Load::finish_submitting() {
  board_->stop_submitting.store(true, std::memory_order_relaxed);
  std::string faults;
  for (const auto& producer : producers_) faults += end_of(*producer, "a producer");
  return faults;
}

std::string Load::finish() {
  std::string faults = finish_submitting();
  const uint8_t unfinished = (1 << static_cast<int>(JobState::kPending)) |
                             (1 << static_cast<int>(JobState::kAssigned)) |
                             (1 << static_cast<int>(JobState::kProcessing));
  if (!eventually([&] { return jobs_in_state(socket_, options_.queue, unfinished).empty(); }))
    faults += "jobs were left unfinished\n";
  board_->stop.store(true, std::memory_order_relaxed);
  for (const auto& consumer : consumers_) faults += end_of(*consumer, "a consumer");
  return faults;
}

std::set<JobId> Load::acknowledged() const {
  std::set<JobId> ids;
  for (const Line& line : read_logs(directory_.path(), "acknowledged.")) ids.insert(line.id);
  return ids;
}

std::vector<Delivery> Load::deliveries() const {
  std::vector<Delivery> all;
  for (const Line& line : read_logs(directory_.path(), "delivered."))
    all.push_back({line.id, static_cast<uint16_t>(line.attempt)});
  std::ranges::sort(all);
  return all;
}

std::map<JobId, uint16_t> jobs_in_state(const std::string& socket, const std::string& queue, uint8_t states) {
  std::map<JobId, uint16_t> jobs;
  auto client = Client::connect(connection(socket, "oracle"));
  if (!client) return {{JobId{}, 0}};
  ListFilter filter;
  filter.queue = queue;
  filter.states = states;
  filter.limit = limits::kListPageMax;
  for (;;) {
    const auto page = client->list(filter);
    if (!page) return {{JobId{}, 0}};
    for (const JobInfo& job : *page) jobs.emplace(job.core.id, job.core.attempts);
    if (page->size() < filter.limit) return jobs;
    filter.older_than = page->back().core.id;
  }
}

}  // namespace pqd::test
