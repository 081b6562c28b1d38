#include "tools/demo/demonstration.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace pqd::demo {
namespace {

using namespace std::chrono_literals;

constexpr auto kStalledAfter = 60s;  // nothing moved for so long: something hangs
constexpr auto kConsumersEndWithin = 30s;
constexpr auto kAskEvery = 100ms;
constexpr uint8_t kPriorities[] = {kPriorityNormal, 15};
constexpr size_t kConsumers = 2;

TimeNs wall_clock_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return TimeNs{now.tv_sec} * kSecondNs + now.tv_nsec;
}

}  // namespace

Demonstration::Demonstration(const DemoOptions& options, std::string bin)
    : options_(options),
      bin_(std::move(bin)),
      progress_(STDERR_FILENO),
      started_(std::chrono::steady_clock::now()) {}

int Demonstration::run() {
  for (const auto step : {&Demonstration::prepare, &Demonstration::work, &Demonstration::finish}) {
    const Step done = (this->*step)();
    if (!done) return fail(done.error());
  }
  progress_.clear();
  const std::string table = render_table(*verdict_, *tally_, jobs_, kills_);
  const std::string verdict = render_verdict(*verdict_, ctl::Colour::for_fd(STDOUT_FILENO, false));
  std::printf("SHA-256 of %zu files by 2 producers and 2 consumers\n\n%s\n", files_.size(), table.c_str());
  if (!scratch_->on_disk()) std::printf("Its store was in memory, not on a disk: the rates mean little.\n");
  std::printf("%s", verdict.c_str());
  if (options_.keep) std::printf("The directory of the run: %s\n", scratch_->path().c_str());
  return std::fflush(stdout) == 0 && verdict_->passed() ? 0 : 1;
}

Demonstration::Step Demonstration::prepare() {
  progress_.show("looking for files");
  files_ = find_files(options_.roots, options_.limit);
  if (files_.empty()) return std::unexpected("there are no files to hash");
  tally_.emplace(files_.size());
  auto scratch = Scratch::create();
  if (!scratch) return std::unexpected(scratch.error());
  scratch_.emplace(std::move(*scratch));
  if (options_.keep) scratch_->keep();
  if (auto written = write_list(scratch_->file("files"), files_); !written) return written;
  errors_.reset(
      ::open(scratch_->file("clients.log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));

  auto daemon = Daemon::start(bin_ + "/pqd", *scratch_);
  if (!daemon) return std::unexpected(daemon.error());
  daemon_.emplace(std::move(*daemon));
  if (auto ready = daemon_->wait_until_ready(signals_); !ready) return ready;
  auto client = Client::connect({.socket = daemon_->socket(), .name = "demo"});
  if (!client) return std::unexpected("cannot connect: " + client.error().text);
  client_.emplace(std::move(*client));
  return {};
}

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

Demonstration::Step Demonstration::finish() {
  for (ClientProcess& consumer : consumers_) consumer.dismiss();
  const Deadline deadline = Deadline::in(kConsumersEndWithin);
  while (!std::ranges::all_of(consumers_, &ClientProcess::done)) {
    if (auto heard = hear(100); !heard) return heard;
    if (auto checked = check_children(); !checked) return checked;
    if (deadline.passed()) return std::unexpected("a consumer does not end when told to");
  }
  progress_.show("asking for the results");
  auto jobs = ask_for_jobs(*client_);
  if (!jobs) return std::unexpected(jobs.error());
  jobs_ = std::move(*jobs);
  client_.reset();
  const pid_t engine = daemon_->engine();
  if (engine == 0 || engine == killed_engine_)
    return std::unexpected("no new engine has taken the dead one's place");
  if (auto stopped = daemon_->stop(); !stopped) return stopped;
  progress_.show("comparing with sha256sum");
  const auto digests = run_sha256sum(scratch_->file("files"), *scratch_, signals_);
  if (!digests) return std::unexpected(digests.error());
  verdict_ = judge(files_, *tally_, jobs_, *digests);
  return {};
}

void Demonstration::show_progress() {
  if (!progress_.due()) return;
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - started_;
  char line[96];
  std::snprintf(line, sizeof line, "%5.1f s  %zu files: %zu durable, %zu completed%s%s", passed.count(),
                files_.size(), tally_->durable, tally_->settled.size(),
                killed_engine_ != 0 ? "; killed: engine" : "", kills_.consumer_ns != 0 ? ", consumer" : "");
  progress_.show(line);
}

int Demonstration::fail(const std::string& why) {
  progress_.clear();
  producers_.clear();
  consumers_.clear();
  client_.reset();
  if (daemon_) daemon_->end();
  if (const int number = signals_.asked(); number != 0) {
    std::fprintf(stderr, "pqd-demo: stopped by a signal; everything is cleaned up\n");
    return 128 + number;
  }
  if (scratch_) {
    for (const char* log : {"pqd.log", "clients.log"}) {
      const std::string tail = tail_of(scratch_->file(log), 20);
      if (!tail.empty()) std::fprintf(stderr, "the last lines of %s:\n%s\n", log, tail.c_str());
    }
  }
  std::printf("%s: %s.\n", ctl::Colour::for_fd(STDOUT_FILENO, false).paint(ctl::Tone::kBad, "FAILED").c_str(),
              why.c_str());
  if (options_.keep && scratch_) std::printf("The directory of the run: %s\n", scratch_->path().c_str());
  std::fflush(stdout);
  return 1;
}

}  // namespace pqd::demo
