#include "tests/bench/peers.h"

#include "tests/bench/machine.h"

namespace pqd::bench {

std::vector<std::string> peer_versions(const Plan& plan) {
  std::vector<std::string> versions =
      package_versions({"libc6", "librocksdb7.8", "liburing2", "libboost1.81-dev", "libzmq5", "iceoryx",
                        "redis-server", "libhiredis0.14", "beanstalkd", "nats-server", "libnats3.4",
                        "rabbitmq-server", "librabbitmq4", "postgresql-15", "nodejs"});
  const std::vector<std::string> node =
      node_versions(plan.peers_directory, {"bullmq", "bee-queue", "graphile-worker"});
  versions.insert(versions.end(), node.begin(), node.end());
  return versions;
}

}  // namespace pqd::bench
