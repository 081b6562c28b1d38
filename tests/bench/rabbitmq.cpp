// RabbitMQ: a quorum queue, whose confirms follow the fsync of its log.
#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <signal.h>
#include <unistd.h>

#include "tests/bench/free_port.h"
#include "tests/bench/own.h"
#include "tests/bench/sides.h"
#include "tests/bench/whole_life_peers.h"
#include "tests/support/program.h"
#include "tests/support/temp_dir.h"

namespace pqd::bench {
namespace {

constexpr amqp_channel_t kChannel = 1;
constexpr uint64_t kUnconfirmed = 4'000;
constexpr uint16_t kPrefetch = 2'000;
constexpr unsigned kAcknowledgedAtOnce = 200;
constexpr uint64_t kWindow = 20'000;
constexpr const char* kQueue = "jobs";

void must(Side& side, const amqp_rpc_reply_t& reply, const char* what) {
  if (reply.reply_type != AMQP_RESPONSE_NORMAL) side.fail(std::string(what) + " refused by RabbitMQ");
}
void must(Side& side, int status, const char* what) {
  if (status < 0) side.fail(std::string(what) + ": " + ::amqp_error_string2(status));
}

// Ends with its process.
amqp_connection_state_t connect(Side& side, uint16_t port) {
  amqp_connection_state_t connection = ::amqp_new_connection();
  amqp_socket_t* const socket = ::amqp_tcp_socket_new(connection);
  must(side, ::amqp_socket_open(socket, "127.0.0.1", port), "connect");
  must(side, ::amqp_login(connection, "/", 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest"), "login");
  ::amqp_channel_open(connection, kChannel);
  must(side, ::amqp_get_rpc_reply(connection), "channel");
  return connection;
}

void declare_queue(Side& side, amqp_connection_state_t connection) {
  amqp_table_entry_t entry{};
  entry.key = ::amqp_cstring_bytes("x-queue-type");
  entry.value.kind = AMQP_FIELD_KIND_UTF8;
  entry.value.value.bytes = ::amqp_cstring_bytes("quorum");
  ::amqp_queue_declare(connection, kChannel, ::amqp_cstring_bytes(kQueue), 0, 1, 0, 0, {1, &entry});
  must(side, ::amqp_get_rpc_reply(connection), "queue");
}

// Waits for the next word of the server; how far it has confirmed.
uint64_t next_confirm(Side& side, amqp_connection_state_t connection) {
  amqp_frame_t frame{};
  must(side, ::amqp_simple_wait_frame(connection, &frame), "confirm");
  if (frame.frame_type != AMQP_FRAME_METHOD || frame.payload.method.id != AMQP_BASIC_ACK_METHOD)
    side.fail("RabbitMQ does not confirm");
  const auto* const ack = static_cast<const amqp_basic_ack_t*>(frame.payload.method.decoded);
  const uint64_t tag = ack->delivery_tag;
  ::amqp_maybe_release_buffers(connection);
  return tag;
}

void publish(Side& side, uint16_t port) {
  amqp_connection_state_t connection = connect(side, port);
  ::amqp_confirm_select(connection, kChannel);
  must(side, ::amqp_get_rpc_reply(connection), "confirms");
  const std::string payload(kWholeLifePayloadBytes, 'x');
  amqp_basic_properties_t properties{};
  properties._flags = AMQP_BASIC_DELIVERY_MODE_FLAG;
  properties.delivery_mode = AMQP_DELIVERY_PERSISTENT;
  uint64_t confirmed = 0;
  side.start();
  while (!side.over()) {
    must(side,
         ::amqp_basic_publish(connection, kChannel, ::amqp_empty_bytes, ::amqp_cstring_bytes(kQueue), 0, 0,
                              &properties, {payload.size(), const_cast<char*>(payload.data())}),
         "publish");
    side.did(1);
    // Confirms of several at once name the last; of single ones they may come out of order.
    while (side.done() > confirmed + kUnconfirmed)
      confirmed = std::max(confirmed, next_confirm(side, connection));
    while (side.done() > side.done_by("consumer") + kWindow && !side.over()) ::usleep(100);
  }
}

void consume(Side& side, uint16_t port) {
  amqp_connection_state_t connection = connect(side, port);
  declare_queue(side, connection);
  ::amqp_basic_qos(connection, kChannel, 0, kPrefetch, 0);
  must(side, ::amqp_get_rpc_reply(connection), "prefetch");
  ::amqp_basic_consume(connection, kChannel, ::amqp_cstring_bytes(kQueue), ::amqp_empty_bytes, 0, 0, 0,
                       ::amqp_empty_table);
  must(side, ::amqp_get_rpc_reply(connection), "consume");
  unsigned unacknowledged = 0;
  uint64_t last = 0;
  const auto acknowledge = [&] {
    if (unacknowledged == 0) return;
    must(side, ::amqp_basic_ack(connection, kChannel, last, 1), "ack");
    side.did(std::exchange(unacknowledged, 0));
  };
  side.start();
  while (!side.over()) {
    timeval wait{0, 5'000};
    amqp_envelope_t envelope{};
    ::amqp_maybe_release_buffers(connection);
    const amqp_rpc_reply_t reply = ::amqp_consume_message(connection, &envelope, &wait, 0);
    if (reply.reply_type == AMQP_RESPONSE_NORMAL) {
      last = envelope.delivery_tag;
      ::amqp_destroy_envelope(&envelope);
      if (++unacknowledged == kAcknowledgedAtOnce) acknowledge();
    } else if (reply.library_error == AMQP_STATUS_TIMEOUT) {
      acknowledge();
    } else {
      must(side, reply, "delivery");
    }
  }
}

std::vector<std::string> environment(const test::TempDir& directory, uint16_t port) {
  return {"HOME=" + directory.path(),
          "RABBITMQ_NODENAME=pqd-bench-" + std::to_string(port) + "@localhost",
          "RABBITMQ_NODE_IP_ADDRESS=127.0.0.1",
          "RABBITMQ_NODE_PORT=" + std::to_string(port),
          "RABBITMQ_DIST_PORT=" + std::to_string(free_port()),
          "ERL_EPMD_PORT=" + std::to_string(free_port()),
          "ERL_EPMD_ADDRESS=127.0.0.1",
          "RABBITMQ_MNESIA_BASE=" + directory.path("mnesia"),
          "RABBITMQ_LOG_BASE=" + directory.path("log"),
          "RABBITMQ_ENABLED_PLUGINS_FILE=" + directory.path("plugins"),
          "RABBITMQ_CONFIG_FILE=" + directory.path("none"),
          "RABBITMQ_CONF_ENV_FILE=/dev/null",
          "RABBITMQ_PID_FILE=" + directory.path("pid")};
}

}  // namespace

Line measure_rabbitmq(const Plan& plan) {
  Line peer{
      "RabbitMQ",
      "quorum queue, up to 4000 unconfirmed publishes, prefetch 2000, acks of 200 at once and not answered"};
  const test::TempDir directory;
  test::write_file(directory.path("plugins"), "[].\n");
  const uint16_t port = free_port();
  test::Program server({"/usr/lib/rabbitmq/bin/rabbitmq-server"}, environment(directory, port));
  if (!server.says(" completed with ")) {
    peer.fault = "rabbitmq-server does not start: " + server.err();
    return peer;
  }
  repeat(plan, peer, [&](Line& line) {
    Sides sides;
    sides.add("consumer", [&](Side& side) { consume(side, port); });
    sides.add("producer", [&](Side& side) { publish(side, port); });
    if (sides.run(plan.seconds)) line.add(kWholeLives, sides.rate_of("consumer"));
    return sides.fault();
  });
  server.signal(SIGTERM);
  server.wait();
  return peer;
}

}  // namespace pqd::bench
