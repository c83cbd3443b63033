import static java.nio.charset.StandardCharsets.UTF_8;

import de.bwaldvogel.mongo.bson.BinData;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.MongoServerError;
import io.netty.channel.Channel;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;

/** SCRAM-SHA-256, server's side (RFC 5802 and 7677), which mongo-java-server lacks. */
final class Scram {
  static final String MECHANISM = "SCRAM-SHA-256";
  private static final int ITERATIONS = 4096;
  private static final SecureRandom RANDOM = new SecureRandom();

  /** A conversation under way. `opening` is what both sides have said so far, as the proof covers it. */
  private record Conversation(String name, String password, byte[] salt, String nonce, String opening) {}

  private record Login(String name, String password) {}

  private final Users users;
  private final Map<Channel, Conversation> conversations = new ConcurrentHashMap<>();
  private final Map<Channel, Login> logins = new ConcurrentHashMap<>();

  Scram(Users users) {
    this.users = users;
  }

  /** Whether the connection may work: a password that was changed since then no longer counts. */
  boolean admits(Channel channel) {
    if (!users.isAsking()) return true;
    Login login = logins.get(channel);
    return login != null && users.passwordOf(login.name()).filter(login.password()::equals).isPresent();
  }

  void forget(Channel channel) {
    conversations.remove(channel);
    logins.remove(channel);
  }

  Document start(Channel channel, Document query) {
    if (!MECHANISM.equals(query.get("mechanism"))) throw refused();
    String message = payload(query);
    // "n,," says that the client binds no channel.
    if (!message.startsWith("n,,")) throw refused();
    String bare = message.substring(3);
    Map<String, String> fields = fields(bare);
    String name = fields.get("n").replace("=2C", ",").replace("=3D", "=");
    String password = users.passwordOf(name).orElseThrow(Scram::refused);
    byte[] salt = random(16);
    String nonce = fields.get("r") + Base64.getEncoder().encodeToString(random(18));
    String answer = "r=" + nonce + ",s=" + Base64.getEncoder().encodeToString(salt) + ",i=" + ITERATIONS;
    conversations.put(channel, new Conversation(name, password, salt, nonce, bare + "," + answer));
    return step(answer, false);
  }

  Document proceed(Channel channel, Document query) {
    Conversation conversation = conversations.remove(channel);
    if (conversation == null) throw refused();
    String message = payload(query);
    Map<String, String> fields = fields(message);
    String said = conversation.opening() + "," + message.substring(0, message.lastIndexOf(",p="));
    try {
      var salted = salted(conversation);
      byte[] clientKey = hmac(salted, "Client Key");
      byte[] signature = hmac(sha256(clientKey), said);
      byte[] claimed = xor(Base64.getDecoder().decode(fields.get("p")), signature);
      boolean isProven = MessageDigest.isEqual(claimed, clientKey) && conversation.nonce().equals(fields.get("r"));
      if (!isProven) throw refused();
      logins.put(channel, new Login(conversation.name(), conversation.password()));
      return step("v=" + Base64.getEncoder().encodeToString(hmac(hmac(salted, "Server Key"), said)), true);
    } catch (GeneralSecurityException error) {
      throw new IllegalStateException(error);
    }
  }

  private static Document step(String payload, boolean isDone) {
    var bytes = new BinData(payload.getBytes(UTF_8));
    return new Document("conversationId", 1).append("done", isDone).append("payload", bytes).append("ok", 1.0);
  }

  private static String payload(Document query) {
    Object payload = query.get("payload");
    return new String(payload instanceof BinData data ? data.getData() : (byte[]) payload, UTF_8);
  }

  private static Map<String, String> fields(String message) {
    return Arrays.stream(message.split(",")).collect(Collectors.toMap(part -> part.substring(0, 1), part -> part.substring(2)));
  }

  private static MongoServerError refused() {
    return new MongoServerError(18, "AuthenticationFailed", "Authentication failed.");
  }

  private static byte[] salted(Conversation conversation) throws GeneralSecurityException {
    var spec = new PBEKeySpec(conversation.password().toCharArray(), conversation.salt(), ITERATIONS, 256);
    return SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256").generateSecret(spec).getEncoded();
  }

  private static byte[] hmac(byte[] key, String text) throws GeneralSecurityException {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(key, "HmacSHA256"));
    return mac.doFinal(text.getBytes(UTF_8));
  }

  private static byte[] sha256(byte[] data) throws GeneralSecurityException {
    return MessageDigest.getInstance("SHA-256").digest(data);
  }

  private static byte[] xor(byte[] a, byte[] b) {
    byte[] result = new byte[Math.min(a.length, b.length)];
    for (int index = 0; index < result.length; index += 1) result[index] = (byte) (a[index] ^ b[index]);
    return result;
  }

  private static byte[] random(int length) {
    byte[] bytes = new byte[length];
    RANDOM.nextBytes(bytes);
    return bytes;
  }
}
