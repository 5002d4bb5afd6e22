// The programs are what the documentation says: their sources come from there.
import java.util.regex.Pattern

def text = { path -> new File(root, path).getText('UTF-8') }
def write = { path, content ->
  def file = new File(basedir, path)
  file.parentFile.mkdirs()
  file.setText(content, 'UTF-8')
}
// Returns the one block of a page that begins like this.
def block = { page, language, beginning ->
  def found = text(page) =~ /(?s)\n```$language\n(${Pattern.quote(beginning)}.*?\n)```\n/
  assert found.count == 1 : "$page has ${found.count} blocks that begin with $beginning"
  found[0][1]
}
// Returns a source in another package than its own, which it imports if that is one of Daimon's.
def foreign = { path, imported ->
  text(path).replaceFirst(/package ([\w.]+);\n/,
      'package org.example;\n' + (imported ? '\nimport $1.*;\n' : ''))
}

basedir.eachDir { program ->
  def example = "${program.name}/src/test/java/dev/daimon/${program.name}/Example.java"
  if (new File(root, example).exists()) {
    write("${program.name}/src/main/java/org/example/Example.java", foreign(example, true))
  }
}
for (program in [shaded: 'hello/Hello.java', spring: 'spring/Spring.java']) {
  def (name, file) = program.value.split('/')
  write("${program.key}/src/main/java/org/example/$file",
      foreign("examples/$name/src/main/java/dev/daimon/examples/$name/$file", false))
}

def pom = new File(basedir, 'bom/pom.xml')
pom.text = pom.text.replace('<!-- Here is what docs/modules.md says. -->',
    block('docs/modules.md', 'xml', '<dependencyManagement>')
        .replaceAll('<version>[^<]*</version>', '<version>\\${daimon.version}</version>'))
// In the working directory, not in /tmp.
write('bom/src/main/java/Once.java',
    block('README.md', 'java', 'import dev.daimon.locking.*;').replace('"/tmp/', '"'))
write('bom/src/main/java/Indexer.java',
    'import dev.daimon.locking.*;\nvoid index() {}\nvoid main() throws Exception {\n'
        + block('docs/modules.md', 'java', 'try (SingletonLock') + '}\n')
true
