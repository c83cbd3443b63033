import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.MongoServerError;
import de.bwaldvogel.mongo.exception.MongoServerException;
import io.netty.channel.Channel;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Answers what every server that speaks the protocol does alike, and refuses the rest by name: inserts, replacements by `_id`, find, sort,
 * limit, unique and TTL indexes (which it keeps and shows, and by which nothing expires).
 */
final class PortableBackend extends H2Backend {
  private static final Set<String> OPEN = Set.of("ping", "buildinfo", "endsessions");
  private static final Set<String> WRITES = Set.of("insert", "update", "createindexes", "dropdatabase");
  private static final Set<String> READS = Set.of("find", "getmore", "killcursors", "listindexes", "listcollections");

  /** What the current driver asks for at least: the protocol of MongoDB 4.4. */
  private static final MongoVersion VERSION = new MongoVersion() {
    @Override
    public List<Integer> getVersionArray() {
      return List.of(4, 4, 0);
    }

    @Override
    public int getWireVersion() {
      return 9;
    }
  };

  private final Scram scram;

  PortableBackend(String file, Users users) {
    super(file);
    version(VERSION);
    scram = new Scram(users);
  }

  @Override
  public Document handleCommand(Channel channel, String database, String command, Document query) {
    String name = command.toLowerCase();
    if (name.equals("saslstart")) return scram.start(channel, query);
    if (name.equals("saslcontinue")) return scram.proceed(channel, query);
    if (name.equals("hello") || name.equals("ismaster")) return introduced(super.handleCommand(channel, database, "isMaster", query));
    if (OPEN.contains(name)) return super.handleCommand(channel, database, command, query);
    if (!scram.admits(channel)) throw new MongoServerError(13, "Unauthorized", "command " + command + " requires authentication");
    if (READS.contains(name)) return super.handleCommand(channel, database, command, query);
    if (!WRITES.contains(name)) throw unknown("the command " + command);
    if (name.equals("update")) refuseOperators(query);
    Document answer = super.handleCommand(channel, database, command, query);
    // Acknowledged is written: a kill right after loses nothing.
    commit();
    return answer;
  }

  @Override
  public void handleClose(Channel channel) {
    scram.forget(channel);
    super.handleClose(channel);
  }

  private Document introduced(Document answer) {
    answer.put("fake", "mongo-java-server");
    answer.put("saslSupportedMechs", List.of(Scram.MECHANISM));
    return answer;
  }

  private static void refuseOperators(Document query) {
    for (Object each : (Iterable<?>) query.get("updates")) {
      Object change = ((Document) each).get("u");
      boolean replaces = change instanceof Map<?, ?> fields && fields.keySet().stream().noneMatch(key -> key.toString().startsWith("$"));
      if (!replaces) throw unknown("an update that is no replacement");
    }
  }

  private static MongoServerException unknown(String what) {
    return new MongoServerError(59, "CommandNotFound", "This fake MongoDB does not know " + what + ".");
  }
}
