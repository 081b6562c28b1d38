// Queues for Node.js, which life.cjs drives on either side; their servers are ours to start and to end.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "tests/bench/own.h"
#include "tests/bench/redis_server.h"
#include "tests/bench/whole_life_peers.h"
#include "tests/support/program.h"
#include "tests/support/temp_dir.h"

namespace pqd::bench {
namespace {

constexpr const char* kScript = PQD_SOURCE_DIR "/tests/bench/node/life.cjs";

// A producer and a consumer against a server that is there; "" or why there is no figure.
std::string live(const Plan& plan, Line& line, const std::string& kind, const std::string& address) {
  const std::vector<std::string> environment{"PQD_BENCH_PEERS=" + plan.peers_directory};
  const auto side = [&](const char* role) {
    return std::vector<std::string>{"node", kScript, kind, role, address, std::to_string(plan.seconds)};
  };
  test::Program consumer(side("consume"), environment);
  if (!consumer.says("ready\n")) return "the consumer does not start: " + consumer.err();
  test::Program producer(side("produce"), environment);
  if (!consumer.says("done ")) return "no job ends: " + consumer.err() + producer.err();
  const std::string said = consumer.out();
  unsigned long long count = 0;
  double seconds = 0;
  if (std::sscanf(said.c_str() + said.find("done "), "done %llu %lf", &count, &seconds) != 2 || seconds <= 0)
    return "the consumer says " + said;
  line.add(kWholeLives, static_cast<double>(count) / seconds);
  return "";
}

bool installed(const Plan& plan, const std::string& package) {
  return !plan.peers_directory.empty() &&
         std::filesystem::exists(plan.peers_directory + "/node_modules/" + package + "/package.json");
}

Line over_redis(const Plan& plan, const std::string& package, const std::string& name,
                const std::string& how) {
  Line peer{name, how};
  if (!installed(plan, package)) {
    peer.fault = "npm's " + package + " is not installed; tools/bench-peers does it";
    return peer;
  }
  repeat(plan, peer, [&](Line& line) {
    const RedisServer server(true);
    return server.fault().empty() ? live(plan, line, package, server.socket()) : server.fault();
  });
  return peer;
}

// PostgreSQL serves nobody as root: then it is its own user's, who owns this directory.
class Postgres {
 public:
  Postgres() {
    std::string why = start();
    if (!why.empty()) fault_ = "postgres does not start: " + why;
  }
  ~Postgres() {
    if (server_ == nullptr) return;
    server_->signal(SIGINT);  // a fast shutdown
    server_->wait();
  }
  const std::string& fault() const { return fault_; }
  std::string address() const {
    return "postgresql:///postgres?host=" + directory_.path() + "&user=postgres";
  }

 private:
  std::vector<std::string> as_its_user(std::vector<std::string> words) const {
    if (::geteuid() != 0) return words;
    std::vector<std::string> all{"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"};
    all.insert(all.end(), words.begin(), words.end());
    return all;
  }
  std::string start() {
    std::string programs;
    std::error_code ignored;
    for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql", ignored))
      if (std::filesystem::exists(version.path() / "bin/initdb")) programs = version.path() / "bin";
    if (programs.empty()) return "it is not installed";
    if (::geteuid() == 0 && test::run({"chown", "postgres", directory_.path()}).exit != 0)
      return "it has no user";
    const std::string data = directory_.path("data");
    const test::Ran made = test::run(as_its_user(
        {programs + "/initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-instructions"}));
    if (made.exit != 0) return made.err;
    server_ = std::make_unique<test::Program>(
        as_its_user({programs + "/postgres", "-D", data, "-k", directory_.path(), "-c",
                     "listen_addresses=", "-c", "shared_buffers=512MB", "-c", "max_wal_size=4GB"}));
    return server_->says("ready to accept connections") ? "" : server_->err();
  }

  test::TempDir directory_;
  std::unique_ptr<test::Program> server_;
  std::string fault_;
};

}  // namespace

Line measure_bullmq(const Plan& plan) {
  return over_redis(plan, "bullmq", "BullMQ",
                    "Redis on a Unix socket, appendfsync always; addBulk of 500, four at once, a worker of "
                    "256 jobs at once");
}

Line measure_bee_queue(const Plan& plan) {
  return over_redis(plan, "bee-queue", "bee-queue",
                    "Redis on a Unix socket, appendfsync always; saveAll of 500, four at once, 256 jobs at "
                    "once, no events");
}

Line measure_graphile_worker(const Plan& plan) {
  Line peer{"graphile-worker",
            "PostgreSQL on a Unix socket, synchronous commits; add_jobs of 500, a local queue of 500, "
            "completions in batches"};
  if (!installed(plan, "graphile-worker")) {
    peer.fault = "npm's graphile-worker is not installed; tools/bench-peers does it";
    return peer;
  }
  const Postgres server;
  if (peer.fault = server.fault(); !peer.fault.empty()) return peer;
  repeat(plan, peer, [&](Line& line) { return live(plan, line, "graphile-worker", server.address()); });
  return peer;
}

}  // namespace pqd::bench
