#include <poll.h>
#include <time.h>

#include <algorithm>

#include "tools/demo/demonstration.h"

namespace pqd::demo {
namespace {

using namespace std::chrono_literals;

constexpr auto kStalledAfter = 60s;  // nothing moved for so long: something hangs
constexpr auto kAskEvery = 100ms;
constexpr uint8_t kPriorities[] = {kPriorityNormal, 15};
constexpr size_t kConsumers = 2;

TimeNs wall_clock_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return TimeNs{now.tv_sec} * kSecondNs + now.tv_nsec;
}

}  // namespace

Demonstration::Step Demonstration::work() {
  for (size_t i = 0; i < kConsumers; ++i) {
    if (auto started = start_consumer(); !started) return started;
  }
  if (auto started = start_producers(); !started) return started;
  stalled_ = Deadline::in(kStalledAfter);
  while (!all_done()) {
    if (auto heard = hear(100); !heard) return heard;
    if (auto checked = check_children(); !checked) return checked;
    if (auto acted = act(); !acted) return acted;
    show_progress();
    if (stalled_.passed()) return std::unexpected("nothing has moved for a minute");
  }
  return {};
}

Demonstration::Step Demonstration::start_producers() {
  const auto producers = static_cast<uint32_t>(std::size(kPriorities));
  for (uint32_t i = 0; i < producers; ++i) {
    auto words =
        words_of(ProducerOptions{daemon_->socket(), scratch_->file("files"), i, producers, kPriorities[i]});
    words.insert(words.begin(), bin_ + "/pqd-demo");
    auto producer = ClientProcess::start(ClientProcess::Role::kProducer, words, errors_.get());
    if (!producer) return std::unexpected(producer.error());
    producers_.push_back(std::move(*producer));
  }
  return {};
}

Demonstration::Step Demonstration::start_consumer() {
  auto words = words_of(ConsumerOptions{daemon_->socket()});
  words.insert(words.begin(), bin_ + "/pqd-demo");
  auto consumer = ClientProcess::start(ClientProcess::Role::kConsumer, words, errors_.get());
  if (!consumer) return std::unexpected(consumer.error());
  consumers_.push_back(std::move(*consumer));
  return {};
}

Demonstration::Step Demonstration::hear(int timeout_ms) {
  std::vector<pollfd> fds{{signals_.fd(), POLLIN, 0}};
  for (const auto* group : {&producers_, &consumers_}) {
    for (const ClientProcess& client : *group) fds.push_back({client.events_fd(), POLLIN, 0});
  }
  ::poll(fds.data(), fds.size(), timeout_ms);
  if (signals_.asked() != 0) return std::unexpected("stopped");
  std::vector<Event> events;
  for (auto* group : {&producers_, &consumers_}) {
    for (ClientProcess& client : *group) client.hear(events);
  }
  for (const Event& event : events) tally_->take(event);
  if (!events.empty()) stalled_ = Deadline::in(kStalledAfter);
  return {};
}

Demonstration::Step Demonstration::check_children() {
  if (!daemon_->running()) return std::unexpected("pqd has ended by itself");
  for (auto* group : {&producers_, &consumers_}) {
    for (ClientProcess& client : *group) {
      if (auto checked = client.check(); !checked) return checked;
    }
  }
  return {};
}

Demonstration::Step Demonstration::act() {
  const size_t all = files_.size();
  if (!second_half_ && tally_->settled.size() >= all / 4 && tally_->durable >= tally_->first_half()) {
    second_half_ = true;
    for (ClientProcess& producer : producers_) {
      if (!producer.go()) return std::unexpected("a producer does not listen");
    }
  }
  // In the midst of everything: submits, deliveries and results are all on their way.
  if (second_half_ && killed_engine_ == 0 && tally_->durable >= tally_->first_half() + all / 16) {
    kills_.engine_ns = wall_clock_ns();
    const auto killed = daemon_->kill_engine();
    if (!killed) return std::unexpected(killed.error());
    killed_engine_ = *killed;
  }
  if (killed_engine_ != 0 && kills_.consumer_ns == 0 && tally_->settled.size() >= all / 4 * 3) {
    kills_.consumer_ns = wall_clock_ns();
    consumers_[0].kill();
    return start_consumer();
  }
  return {};
}

bool Demonstration::all_done() {
  if (kills_.consumer_ns == 0 || !std::ranges::all_of(producers_, &ClientProcess::done)) return false;
  if (tally_->settled.size() == files_.size()) return true;
  // The dead consumer may have settled jobs and not lived to tell: the daemon knows.
  if (!ask_again_.passed()) return false;
  ask_again_ = Deadline::in(kAskEvery);
  return queue_is_empty(*client_).value_or(false);
}

}  // namespace pqd::demo
