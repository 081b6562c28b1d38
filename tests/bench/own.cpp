#include "tests/bench/own.h"

#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "tests/bench/moment.h"

namespace pqd::bench {
namespace {

std::string config(const std::string& engine, bool rated) {
  const std::string table = R"([daemon]
sessions_max = 4096
log_level = "warn"
[engine]
)" + engine +
                            R"([queues.defaults]
max_depth = 100000000
max_bytes = "64GiB"
max_active = 0
queue_timeout = 0
)";
  if (!rated) return table;
  return table + "[limits.user_rates]\n\"" + std::to_string(::getuid()) + "\" = 100000000\n";
}

}  // namespace

OwnDaemon::OwnDaemon(const std::string& engine, bool rated) : daemon_(config(engine, rated)) {}

std::string OwnDaemon::start() {
  const auto started = daemon_.start();
  return started ? "" : started.message();
}

Client connect_or_fail(Side& side, const std::string& socket, Durability durability) {
  // Hundreds connect at once, and the memory of each has to be made.
  auto client = Client::connect({.socket = socket, .connect_timeout_ms = 60'000, .durability = durability});
  if (!client) side.fail("connect: " + client.error().text);
  return std::move(*client);
}

Ticket submit_or_fail(Side& side, Client& client, const SubmitRequest& request) {
  const auto ticket = client.submit(request);
  if (!ticket) [[unlikely]]
    side.fail("submit: " + ticket.error().text);
  return *ticket;
}

void flush_or_fail(Side& side, Client& client) {
  const auto flushed = client.flush(test::kWatchdog);
  if (!flushed) side.fail("flush: " + flushed.error().text);
  if (flushed->refused != 0) side.fail("refused: " + std::string(error_text(flushed->first)));
}

void subscribe_or_fail(Side& side, Client& client, std::string_view queue, uint32_t credits) {
  const auto number = client.subscribe({.queue = queue, .credits = credits});
  if (!number) side.fail("subscribe: " + number.error().text);
}

std::optional<DeliveredJob> next_or_fail(Side& side, Client& client, Milliseconds timeout) {
  auto job = client.next(timeout);
  if (!job) side.fail("next: " + job.error().text);
  return std::move(*job);
}

void complete_or_fail(Side& side, Client& client, const DeliveredJob& job) {
  const auto ticket = client.complete(job);
  if (!ticket) side.fail("complete: " + ticket.error().text);
}

void stamp(Bytes& payload) {
  const int64_t now = now_ns();
  std::memcpy(payload.data(), &now, sizeof now);
}

int64_t stamped_ns(const DeliveredJob& job) {
  int64_t from = 0;
  std::memcpy(&from, job.payload().data(), sizeof from);
  return from;
}

void time_and_complete(Side& side, Client& client, Milliseconds patience) {
  while (!side.over()) {
    const auto job = next_or_fail(side, client, patience);
    if (!job) continue;
    side.latency().add(static_cast<uint64_t>(now_ns() - stamped_ns(*job)));
    complete_or_fail(side, client, *job);
    side.did(1);
  }
}

Bytes random_payload(size_t bytes, uint64_t seed) {
  std::mt19937_64 random(seed);
  Bytes payload(bytes);
  for (std::byte& byte : payload) byte = static_cast<std::byte>(random());
  return payload;
}

uint64_t cpu_ns_of(pid_t pid) {
  uint64_t sum = 0;
  std::error_code gone;
  for (const auto& thread :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", gone)) {
    std::ifstream schedstat(thread.path() / "schedstat");
    uint64_t ns = 0;
    if (schedstat >> ns) sum += ns;
  }
  return sum;
}

uint64_t status_bytes_of(pid_t pid, const std::string& name) {
  std::istringstream status(test::read_file("/proc/" + std::to_string(pid) + "/status"));
  for (std::string word; status >> word;) {
    uint64_t kib = 0;
    if (word == name && status >> kib) return kib << 10;
  }
  return 0;
}

}  // namespace pqd::bench
