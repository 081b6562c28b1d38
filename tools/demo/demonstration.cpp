#include "tools/demo/demonstration.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace pqd::demo {
namespace {

using namespace std::chrono_literals;

constexpr auto kConsumersEndWithin = 30s;

}  // namespace

Demonstration::Demonstration(DemoOptions options, std::string bin)
    : options_(std::move(options)),
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
