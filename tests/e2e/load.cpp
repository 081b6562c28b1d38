#include "tests/e2e/load.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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
  uint64_t moment = 0;
  std::array<char, 16> ordering_key{};
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
            int number, const std::string& path) {
  const UniqueFd log = open_log(path);
  auto client = Client::connect(connection(socket, "producer"));
  if (!client) return failed(say, "connect", client.error());
  board.connected.fetch_add(1, std::memory_order_relaxed);
  std::deque<Ticket> open;
  SubmitRequest request{.type = "load", .queue = options.queue, .payload = as_bytes("payload")};
  request.delivery = options.delivery;
  request.durability = options.durability;
  request.max_attempts = options.max_attempts;
  request.backoff_first_ms = options.backoff_first_ms;
  std::string key;
  uint64_t submitted = 0;
  for (;;) {
    const bool stop = board.stop_submitting.load(std::memory_order_relaxed);
    if (stop && open.empty()) return kGood;
    if (!stop && open.size() < options.window) {
      if (options.ordering_keys != 0) {
        key = std::to_string(number) + "." + std::to_string(submitted++ % options.ordering_keys);
        request.ordering_key = key;
      }
      auto ticket = client->submit(request);
      if (!ticket) return failed(say, "submit", ticket.error());
      open.push_back(*ticket);
      continue;
    }
    const auto outcome = client->wait(open.front(), Milliseconds(120'000));
    if (!outcome) return failed(say, "wait", outcome.error());
    if (!note(log, {.id = outcome->id})) return kBad;
    board.acknowledged.fetch_add(1, std::memory_order_relaxed);
    open.pop_front();
  }
}

Line line_of(const DeliveredJob& job, LoadBoard& board) {
  Line line{.id = job.id(), .attempt = job.attempt()};
  line.moment = board.moments.fetch_add(1, std::memory_order_relaxed);
  const std::string_view key = job.ordering_key().substr(0, line.ordering_key.size() - 1);
  std::ranges::copy(key, line.ordering_key.begin());
  return line;
}

int consume(const Forked::Say& say, const std::string& socket, const LoadOptions& options, LoadBoard& board,
            const std::string& delivered_path, const std::string& completed_path) {
  const UniqueFd delivered = open_log(delivered_path);
  const UniqueFd completed = open_log(completed_path);
  auto client = Client::connect(connection(socket, "consumer"));
  if (!client) return failed(say, "connect", client.error());
  board.connected.fetch_add(1, std::memory_order_relaxed);
  const auto subscribed = client->subscribe({.queue = options.queue, .credits = options.credits});
  if (!subscribed) return failed(say, "subscribe", subscribed.error());
  while (!board.stop.load(std::memory_order_relaxed)) {
    auto job = client->next(Milliseconds(50));
    if (!job) return failed(say, "next", job.error());
    if (!*job) continue;
    if (!note(delivered, line_of(**job, board))) return kBad;
    const bool fails = options.fail_some && (*job)->attempt() == 1 && (*job)->id().counter() % 16 == 0;
    // Before the daemon can know of it, so that whatever comes of it comes later.
    if (!fails && !note(completed, line_of(**job, board))) return kBad;
    const auto settled = fails ? client->fail(**job, "once") : client->complete(**job);
    if (!settled) return failed(say, "settle", settled.error());
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
      return produce(say, socket_, options_, *board_, i,
                     directory_.path("acknowledged." + std::to_string(i)));
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
    const std::string mine = "." + std::to_string(index) + "." + std::to_string(::getpid());
    return consume(say, socket_, options_, *board_, directory_.path("delivered" + mine),
                   directory_.path("completed" + mine));
  });
}

void Load::replace_consumer(size_t index) {
  consumers_[index]->kill_and_wait();
  const int before = board_->connected.load(std::memory_order_relaxed);
  start_consumer(index);
  eventually([&] { return board_->connected.load(std::memory_order_relaxed) > before; });
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

std::vector<Deed> Load::deeds() const {
  std::vector<Deed> all;
  for (const char* log : {"delivered.", "completed."}) {
    for (const Line& line : read_logs(directory_.path(), log))
      all.push_back({line.moment, line.id, line.ordering_key.data(), log[0] == 'c'});
  }
  std::ranges::sort(all, {}, &Deed::moment);
  return all;
}

std::vector<JobInfo> jobs_of(const std::string& socket, const std::string& queue, uint8_t states) {
  std::vector<JobInfo> jobs;
  auto client = Client::connect(connection(socket, "oracle"));
  if (!client) return {JobInfo()};
  ListFilter filter;
  filter.queue = queue;
  filter.states = states;
  filter.limit = limits::kListPageMax;
  for (;;) {
    const auto page = client->list(filter);
    if (!page) return {JobInfo()};
    jobs.insert(jobs.end(), page->begin(), page->end());
    if (page->size() < filter.limit) return jobs;
    filter.older_than = page->back().core.id;
  }
}

std::map<JobId, uint16_t> jobs_in_state(const std::string& socket, const std::string& queue, uint8_t states) {
  std::map<JobId, uint16_t> jobs;
  for (const JobInfo& job : jobs_of(socket, queue, states)) jobs.emplace(job.core.id, job.core.attempts);
  return jobs;
}

}  // namespace pqd::test
