import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;

/**
 * A fake MongoDB for tests, over the real protocol: mongo-java-server with its data in a file, so that a killed server finds again what it
 * had acknowledged. Arguments: port of loopback, data folder, and optionally a folder with `public.crt` and `private.key` (then TLS only).
 * A file `users` in the data folder, lines `name password`, makes it ask for them; it is read anew at every command.
 */
final class MongoServer {
  public static void main(String[] arguments) throws Exception {
    int port = Integer.parseInt(arguments[0]);
    Path folder = Path.of(arguments[1]);
    var users = new Users(folder.resolve("users"));
    var server = new de.bwaldvogel.mongo.MongoServer(new PortableBackend(folder.resolve("data.h2").toString(), users));
    if (arguments.length > 2) enableTls(server, Path.of(arguments[2]));
    server.bind("127.0.0.1", port);
    System.out.println("A fake MongoDB (mongo-java-server) for tests listens on 127.0.0.1:" + port);
    Thread.currentThread().join();
  }

  private static void enableTls(de.bwaldvogel.mongo.MongoServer server, Path folder) throws IOException, GeneralSecurityException {
    var certificates = CertificateFactory.getInstance("X.509")
        .generateCertificates(new ByteArrayInputStream(Files.readAllBytes(folder.resolve("public.crt"))))
        .toArray(new X509Certificate[0]);
    server.enableSsl(privateKey(folder.resolve("private.key")), null, certificates);
  }

  private static PrivateKey privateKey(Path file) throws IOException, GeneralSecurityException {
    String text = Files.readString(file).replaceAll("-----[A-Z ]+-----", "");
    var key = new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(text));
    return KeyFactory.getInstance("EC").generatePrivate(key);
  }
}
