#include "tests/support/load/load.h"

#include <sys/mman.h>

#include <csignal>

#include "tests/support/eventually.h"
#include "tests/support/load/load_schedule.h"

namespace pqd::test {
namespace {

std::string end_of(Forked& child, const char* who) {
  const int status = child.wait();
  if (status == kLoadGood) return {};
  return std::string(who) + " ended with " + std::to_string(status) + ": " + child.hear() + "\n";
}

// Over one connection: a question costs less than a session.
bool all_finished(const std::string& socket, const std::string& queue) {
  auto client = load_client(socket, "oracle");
  return client && eventually([&] {
           const auto queues = client->queues(queue);
           if (!queues || queues->size() != 1) return false;
           const QueueInfo& q = queues->front();
           return q.ready + q.scheduled + q.active + q.parked + q.held + q.collecting == 0;
         });
}

}  // namespace

Load::Load(const std::string& socket, const LoadOptions& options) : socket_(socket), options_(options) {
  void* page = ::mmap(nullptr, sizeof(LoadBoard), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) std::abort();
  board_ = new (page) LoadBoard;
  // Consumers have even and odd numbers, see the mix.
  for (int i = 0; i < options.consumers; ++i) consumers_.push_back(start(consume));
  for (int i = 0; i < options.producers; ++i) producers_.push_back(start(produce));
  for (int i = 0; i < options.operators; ++i) operators_.push_back(start(operate));
  const int all = options.producers + options.consumers + options.operators;
  eventually([&] { return board_->connected.load() == all; });
}

Load::~Load() {
  producers_.clear();
  operators_.clear();
  consumers_.clear();
  ::munmap(board_, sizeof(LoadBoard));
}

std::unique_ptr<Forked> Load::start(int (*work)(const Forked::Say&, const LoadProcess&)) {
  const uint32_t who = ++started_;
  return std::make_unique<Forked>([this, who, work](const Forked::Say& say) {
    for (std::string& variable : options_.environment) ::putenv(variable.data());
    const std::string log = directory_.path(std::to_string(who));
    return work(say, {socket_, options_, *board_, who, log});
  });
}

void Load::restart_producer(size_t index) {
  producers_[index]->kill_and_wait();
  producers_[index] = start(produce);
}

void Load::restart_consumer(size_t index) {
  consumers_[index]->kill_and_wait();
  consumers_[index] = start(consume);
}

void Load::restart_operator(size_t index) {
  operators_[index]->kill_and_wait();
  operators_[index] = start(operate);
}

void Load::restart_the_dead() {
  for (size_t i = 0; i < producers_.size(); ++i)
    if (!producers_[i]->running()) restart_producer(i);
  for (size_t i = 0; i < consumers_.size(); ++i)
    if (!consumers_[i]->running()) restart_consumer(i);
  for (size_t i = 0; i < operators_.size(); ++i)
    if (!operators_[i]->running()) restart_operator(i);
}

void Load::replace_consumer(size_t index) {
  const int before = board_->connected.load(std::memory_order_relaxed);
  restart_consumer(index);
  eventually([&] { return board_->connected.load(std::memory_order_relaxed) > before; });
}

void Load::allow(uint64_t more) {
  uint64_t allowed = board_->allowed.load(std::memory_order_relaxed);
  if (allowed == UINT64_MAX) allowed = board_->claimed.load(std::memory_order_relaxed);
  board_->allowed.store(allowed + more, std::memory_order_relaxed);
}

void Load::note(Deed deed) {
  deed.moment = board_->moments.fetch_add(1, std::memory_order_relaxed);
  DeedLog(directory_.path("0")).add(deed);
}

void Load::engine_died() { note({.kind = Deed::Kind::kEngineDied}); }

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

// From then on no dead letter comes back and no run is made.
std::string Load::finish_operating() {
  if (operators_.empty()) return {};
  board_->stop_operating.store(true, std::memory_order_relaxed);
  std::string faults;
  for (const auto& one : operators_) faults += end_of(*one, "an operator");
  auto client = load_client(socket_, "oracle");
  const auto all = client ? client->cron_list() : std::unexpected(client.error());
  if (!all) return faults + "schedules cannot be listed: " + all.error().text + "\n";
  for (const ScheduleInfo& schedule : *all)
    if (schedule_number(options_, schedule.name)) schedules_.push_back(schedule);
  note({.kind = Deed::Kind::kListed});
  for (const ScheduleInfo& schedule : schedules_)
    if (const auto done = client->cron_remove(schedule.name); !done)
      faults += "schedule " + schedule.name + " cannot be removed: " + done.error().text + "\n";
  return faults;
}

std::string Load::finish() {
  std::string faults = finish_submitting();
  faults += finish_operating();
  if (!all_finished(socket_, options_.queue)) faults += "jobs were left unfinished\n";
  board_->stop.store(true, std::memory_order_relaxed);
  for (const auto& consumer : consumers_) faults += end_of(*consumer, "a consumer");
  return faults;
}

std::vector<JobInfo> jobs_of(const std::string& socket, const std::string& queue, uint8_t states) {
  std::vector<JobInfo> jobs;
  auto client = load_client(socket, "oracle");
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

}  // namespace pqd::test
